# What gdb needs to know of a host with plugins: `gdb -x hotswap.gdb --args target/debug/host`, or `source` it.

# Plugins are loaded later than breakpoints are set.
set breakpoint pending on

# The signal is for the host, which reloads.
handle SIGUSR1 nostop noprint pass

# Sources are edited while gdb runs, and it would show what it has read before.
python
def forget_sources(_):
    gdb.execute("maintenance flush source-cache", to_string=True)
gdb.events.new_objfile.connect(forget_sources)
end
