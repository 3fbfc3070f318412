#!/bin/sh
# Checks that src/ROOM/FILE.c has tests/unit/ROOM/test_FILE.c, or stands in the list with the test that holds it and the
# reason. A line that no file needs any more is an error, and so is one whose test is not there.
set -u
cd "$(dirname "$0")/.."

# files (a pattern of the shell), test below tests/, reason
list() {
  cat <<'EOT'
api/api.c            | e2e/api.test.mjs              | starts what the other files of api are; nothing of it can be had alone
api/resources/*      | e2e/openapi.test.mjs          | an operation a file: each is called, and its answer compared with the document
cli/*.c              | e2e/cli.test.mjs              | commands against a daemon
cli/client/*         | e2e/listen.test.mjs           | clients of the API and its stream against a daemon
cli/doctor/*         | e2e/doctor.test.mjs           | looks at a machine
daemon/*             | e2e/stop.test.mjs             | starts and stops the whole
deliver/*.c          | unit/deliver/test_attempt.c   | the parts of one courier, tested together on the kit with a still clock
deliver/http/*       | unit/deliver/http/test_client.c | parts of one client, tested whole on sockets
hub/chores/*         | unit/hub/chores/test_housekeeper.c | chores run under their housekeeper
hub/link_states.c    | e2e/smpp_link.test.mjs        | one record a link
hub/resend.c         | e2e/api.test.mjs              | one row, by the API
main.c               | e2e/cli.test.mjs              | calls the commands
model/event.c        | unit/model/test_event_call.c  | the value that the events' builders make
model/fields.c       | unit/model/test_trunk.c       | the checks that all documents share, through the documents
model/gsm7_tables.c  | unit/model/test_gsm7.c        | tables
net/icmp.c           | unit/net/test_datagram.c      | the error queue of a datagram's socket
net/resolver_sip.c   | e2e/srv.test.mjs              | SRV and A records; its NAPTR half has no test yet
net/tls_pem.c        | unit/net/test_tls.c           | certificates are tested by who uses them
play/*               | e2e/demo.test.mjs             | plays the demo
sip/call/*           | unit/sip/call/test_life.c     | a call from end to end on the kit
sip/core/*           | unit/sip/call/test_life.c     | the same
sip/edge.c           | unit/sip/call/test_life.c     | the same
smpp/session_read.c  | unit/smpp/test_session.c      | the reading half of one session
smpp/*               | e2e/smpp_link.test.mjs        | links and listeners against a carrier
store/*.c            | unit/store/test_store.c       | the parts of one store
store/rows/*_list.c   | unit/store/rows/test_lists.c  | lists over many rows
store/rows/calls.c   | unit/sip/call/test_outbox.c   | rows of calls, written and read by the calls
store/rows/deliveries.c | unit/deliver/test_attempt.c | rows of deliveries, written and read by delivery
store/rows/events.c  | unit/hub/test_intake.c        | rows of events, written by the intake
store/rows/expiry.c  | e2e/retention.test.mjs        | rows that leave, in the order of time
store/rows/inbox.c   | unit/store/rows/test_lists.c  | lists over many rows
store/sqlite/sqlite_backup.c | e2e/backup.test.mjs   | the backup command, from end to end
store/sqlite/*       | unit/store/test_faults_disk.c | the engine under a disk that fails
trace/chain.c         | unit/trace/test_log.c         | a call's records, read and overwritten through the log
EOT
}

list | awk -F'|' '
  { for (i = 1; i <= 3; i++) gsub(/^ +| +$/, "", $i); pattern[++n] = $1; test[n] = $2 }
  function matches(file, pattern,    p) {
    p = pattern; gsub(/\./, "\\.", p); gsub(/\*/, "[^/]*", p)
    return file ~ "^" p "$"
  }
  END {
    while (("find src -name \"*.c\" | sort" | getline file) > 0) {
      sub(/^src\//, "", file); files++
      mirror = "tests/unit/" file; sub(/[^\/]*$/, "test_&", mirror)
      if ((getline line < mirror) >= 0) { close(mirror); continue }
      found = 0
      for (i = 1; i <= n && !found; i++) if (matches(file, pattern[i])) { found = 1; used[i]++; listed++ }
      if (!found) { print "src/" file " has no " mirror " and no line in the list"; bad = 1 }
    }
    for (i = 1; i <= n; i++) {
      if (!(i in used)) { print "no file needs the line of " pattern[i]; bad = 1 }
      path = "tests/" test[i]
      if ((getline line < path) < 0) { print "the line of " pattern[i] " names " path ", which is not there"; bad = 1 }
      close(path)
    }
    if (bad) exit 1
    print "mirror: " files " files, " files - listed " with a test of their name, " listed " by " n " lines of the list"
  }'
