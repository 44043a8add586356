
# Completes `cargo hotswap` as `cargo-hotswap`.
function __fish_cargo_hotswap_of_cargo
    set -l words (commandline -opc)
    set -l at (contains -i -- hotswap $words)
    or return
    set -e words[1..$at]
    set -l line cargo-hotswap (string escape -- $words) (commandline -ct)
    complete "-C$line"
end

complete -c cargo -n '__fish_seen_subcommand_from hotswap' -f -a '(__fish_cargo_hotswap_of_cargo)'
