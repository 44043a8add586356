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

# A thread that ends just when gdb asks libthread_db about it ends the command, and with it a script: "Cannot find user-level
# thread for LWP …". gdb knows threads without that library, too; what it lacks then is the values of thread-locals. To see
# those, delete this line.
set libthread-db-search-path /dev/null
