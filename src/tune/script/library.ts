/*
 * The part of the script that is the same in every script: POSIX shell (XCU), and of programs only what POSIX has, apart
 * from those that a kind of place needs (ethtool, tc, nft). Tested with dash and with busybox.
 */

/** How each kind of place is read, kept and put back. Each reader prints lines that are the same when the place is. */
export const READERS = String.raw`
# A kernel value: words separated by single spaces, masks of processors without leading zeros.
value() {
  awk '{ for (i = 1; i <= NF; i++) {
           word = $i
           if (word ~ /^[0-9a-f,]+$/) { sub(/^[0,]+/, "", word); if (word == "") word = "0" }
           printf "%s%s", (n++ ? " " : ""), word
         } } END { print "" }' "$1"
}

# The chosen one of several words: always [madvise] never.
choice() { sed 's/.*\[\([^]]*\)\].*/\1/' "$1"; }

# What is at a path, with mode, owner and a checksum of its content.
entry() {
  if [ -L "$1" ]; then echo 'kind link'; echo "target $(readlink "$1")"
  elif [ -f "$1" ]; then echo 'kind file'; cksum < "$1" | awk '{ print "size", $2; print "content", $1 }'
  elif [ -d "$1" ]; then echo 'kind folder'
  else echo 'kind nothing'; return 0
  fi
  # shellcheck disable=SC2012 # one path of ours, and stat has other options on every system
  ls -ldn "$1" | awk '{ print "mode", substr($1, 1, 10); print "owner", $3, $4 }'
}

keep_entry() { if [ -f "$1" ] && [ ! -L "$1" ]; then cp -p "$1" "$2"; fi; }

# Puts back from what keep_entry has kept ($2) and entry has printed ($3); what is not empty stays.
put_back_entry() {
  case $(sed -n 's/^kind //p' "$3") in
    file) cp -p "$2" "$1.tautline-new" && mv -f "$1.tautline-new" "$1" ;;
    link) rm -f "$1" && ln -s "$(sed -n 's/^target //p' "$3")" "$1" && chown -h "$(sed -n 's/^owner \(.*\) \(.*\)/\1:\2/p' "$3")" "$1" ;;
    folder) mkdir -p "$1" ;;
    *) if [ -d "$1" ] && [ ! -L "$1" ]; then rmdir "$1"; else rm -f "$1"; fi ;;
  esac
}

# Offloads that can be changed. The last three names of put_back_offloads stand for others that are listed themselves.
offloads() { ethtool -k "$1" | awk 'NR > 1 && !/\[fixed\]/ && NF > 1 { sub(":", "", $1); print $1, $2 }'; }

# Twice: what cannot be switched for want of another may be when that one is.
put_back_offloads() {
  for round in 1 2; do
    offloads "$1" > "$STATE/offloads"
    awk 'NR == FNR { now[$1] = $2; next } now[$1] != $2' "$STATE/offloads" "$2" |
      grep -v -e '^tx-checksumming ' -e '^scatter-gather ' -e '^tcp-segmentation-offload ' |
      xargs ethtool -K "$1" > /dev/null 2>&1 || [ "$round" = 1 ]
  done
  rm -f "$STATE/offloads"
}

# Times that the driver adapts itself are left out.
coalescing() {
  ethtool -c "$1" | awk '
    /^Adaptive/ { rx = $3; tx = $5; if (rx != "n/a") print "adaptive-rx", rx; if (tx != "n/a") print "adaptive-tx", tx }
    $1 == "rx-usecs:" && $2 != "n/a" && rx != "on" { print "rx-usecs", $2 }
    $1 == "tx-usecs:" && $2 != "n/a" && tx != "on" { print "tx-usecs", $2 }'
}

# Counts of ethtool -g and -l: the section that tells what is, not what may be most.
counts() {
  ethtool "$1" "$2" | awk '/^Current/ { now = 1 }
    now && $1 ~ /^(RX|TX|Combined):$/ && $2 != "n/a" { name = tolower($1); sub(":", "", name); print name, $2 }'
}

# The queue discipline at the root, whether the kernel put it there itself (handle 0:), and what is below mq.
queue() {
  tc qdisc show dev "$1" | awk '
    $4 == "root" { print "queue", $2; print "by", ($3 == "0:" ? "kernel" : "somebody"); root = $2 }
    $4 == "parent" && root == "mq" && !seen[$2]++ { print "below", $2 }'
}

# The kernel's own comes when ours goes, and is what default_qdisc says at that moment.
put_back_queue() {
  former=$(sed -n 's/^below //p' "$2")
  [ -n "$former" ] || former=$(sed -n 's/^queue //p' "$2")
  if grep -qx 'by somebody' "$2"; then tc qdisc replace dev "$1" root "$former"; return; fi
  tc qdisc del dev "$1" root 2> /dev/null || :
  queue "$1" > "$STATE/queue"
  if [ -w /proc/sys/net/core/default_qdisc ] && [ -s "$2" ] && ! cmp -s "$STATE/queue" "$2"; then
    standing=$(cat /proc/sys/net/core/default_qdisc)
    echo "$former" > /proc/sys/net/core/default_qdisc
    tc qdisc replace dev "$1" root pfifo_fast
    tc qdisc del dev "$1" root
    echo "$standing" > /proc/sys/net/core/default_qdisc
  fi
  rm -f "$STATE/queue"
}

# A table of nftables: nothing where there is none.
table() { nft --stateless list table "$1" "$2" 2> /dev/null || :; }
put_back_table() { { echo "add table $1 $2"; echo "delete table $1 $2"; cat "$3"; } | nft -f -; }

# What cannot be looked at from here: only whether this script has set it is known.
unseen() { if [ -e "$STATE/$1.doing" ]; then echo 'set by this script'; else echo 'as it was'; fi; }
`;

/** What the script does with its steps. Before it, it has STEPS, BACKWARDS, NEEDS_ROOT, NAME and functions for each step. */
export const ENGINE = String.raw`
say() { printf '%s\n' "$*" >&2; }
boot_id() { cat /proc/sys/kernel/random/boot_id 2> /dev/null || sysctl -n kern.boottime 2> /dev/null || echo none; }

# Whether everything that step $1 wants is among the lines of the file $2.
holds() { "want_$1" | while IFS= read -r line; do grep -Fqx -e "$line" "$2" || exit 1; done; }

apply() {
  if [ -e "$STATE/begun" ]; then say "it is applied already, or was begun: '$0 status' shows it, '$0 undo' undoes it"; return 1; fi
  if [ "$NEEDS_ROOT" = yes ] && [ "$(id -u)" -ne 0 ]; then say 'run it as root: nothing was changed'; return 1; fi
  rm -rf "$STATE" && mkdir -p "$STATE" || return 1
  for n in $STEPS; do
    if ! "read_$n" > "$STATE/$n.original" || ! "keep_$n"; then
      say "$(label "$n") cannot be read: nothing was changed"
      rm -rf "$STATE"
      return 1
    fi
  done
  # All originals are on the disk before anything is changed.
  { boot_id > "$STATE/boot" && : > "$STATE/begun" && sync; } || return 1
  for n in $STEPS; do
    { : > "$STATE/$n.doing" && sync; } || { undo; return 1; }
    "set_$n" || say "$(label "$n"): a command failed"
    "read_$n" > "$STATE/now"
    if ! holds "$n" "$STATE/now"; then
      say "$(label "$n") is not as it should be: everything is undone"
      mv "$STATE/now" "$STATE/$n.applied"
      undo
      return 1
    fi
    mv "$STATE/now" "$STATE/$n.applied"
    say "set: $(label "$n")"
  done
  sync
}

undo() {
  if [ ! -e "$STATE/begun" ]; then say 'nothing of this script is applied'; return 0; fi
  kept=0
  for n in $BACKWARDS; do
    [ -e "$STATE/$n.doing" ] || continue
    "read_$n" > "$STATE/now" 2> /dev/null || :
    if cmp -s "$STATE/now" "$STATE/$n.original"; then rm -f "$STATE/$n.doing"; continue; fi
    if [ "$(cat "$STATE/boot")" != "$(boot_id)" ] && ! is_on_disk "$n"; then
      say "a boot has forgotten: $(label "$n")"
      rm -f "$STATE/$n.doing"
      continue
    fi
    if [ "$FORCE" = no ] && [ -e "$STATE/$n.applied" ] && ! cmp -s "$STATE/now" "$STATE/$n.applied"; then
      say "somebody changed it since, so it is kept ('$0 undo --force' undoes it all the same): $(label "$n")"
      kept=1
      continue
    fi
    "put_back_$n" || :
    # Only what this script has set is known of what cannot be looked at.
    mv "$STATE/$n.doing" "$STATE/$n.undoing"
    "read_$n" > "$STATE/now" 2> /dev/null || :
    if cmp -s "$STATE/now" "$STATE/$n.original"; then
      rm -f "$STATE/$n.undoing"
      say "undone: $(label "$n")"
    else
      mv "$STATE/$n.undoing" "$STATE/$n.doing"
      say "not undone: $(label "$n")"
      kept=1
    fi
  done
  rm -f "$STATE/now"
  sync
  [ "$kept" -eq 0 ] || return 1
  rm -rf "$STATE"
  # Only when nothing else is in it.
  rmdir "$(dirname "$STATE")" 2> /dev/null || :
}

status() {
  if [ ! -e "$STATE/begun" ]; then echo 'not applied'; return 0; fi
  differs=0
  now=$(mktemp) || return 1
  for n in $STEPS; do
    "read_$n" > "$now" 2> /dev/null || :
    # The content of a file is known only since it was written.
    if holds "$n" "$now" && { ! is_on_disk "$n" || cmp -s "$now" "$STATE/$n.applied"; }; then echo "as applied: $(label "$n")"
    elif cmp -s "$now" "$STATE/$n.original"; then echo "as before: $(label "$n")"; differs=1
    else echo "changed since: $(label "$n")"; differs=1
    fi
  done
  rm -f "$now"
  return "$differs"
}

FORCE=no
case "$#:$*" in
  1:apply) apply ;;
  1:undo) undo ;;
  2:'undo --force') FORCE=yes; undo ;;
  1:status) status ;;
  *) say "usage: $0 apply | undo [--force] | status"; exit 2 ;;
esac
`;
