#!/bin/sh
# FINDING: sipp answers without a header that had a blank before its colon, and does not know an INVITE whose To had one.
#
# Versions: Debian 12's sip-tester 1:3.6.1-1+b2 (sipp 3.6.1), its built-in scenario `uas`.
# A good engineer would guess: `Via : …` is `Via: …` (RFC 3261 §7.3.1 has `Subject      :      lunch` among its examples of equal lines, and the
#   grammar allows blanks before every colon), as `v: …` and `via: …` are, which sipp takes; or what it cannot read is called malformed.
# Seen: the scenario's [last_Via:], [last_From:], [last_Call-ID:] and [last_CSeq:] find nothing, and the 180 goes out without that line. With the
#   blank in To sipp aborts the call with an error that names the same method twice: while expecting 'INVITE', received 'INVITE …'.
# Output seen:
#= no blanks: SIP/2.0 180 Ringing with Via From To Call-ID CSeq
#= Via : SIP/2.0 180 Ringing with From To Call-ID CSeq
#= From : SIP/2.0 180 Ringing with Via To Call-ID CSeq
#= To : no answer
#= Call-ID : SIP/2.0 180 Ringing with Via From To CSeq
#= CSeq : SIP/2.0 180 Ringing with Via From To Call-ID
#= sipp says: Aborting call on unexpected message for Call-Id 'call4': while expecting 'INVITE' (index 0), received 'INVITE sip:b@127.0.0.1:28060 SIP/2.0
# Why it matters: sipp is what a SIP server is measured with. A server that sends such lines, or passes on what a peer sent, seems to lose
#   answers at random, and the error message sends one looking at the scenario.
# Exit: 0 as described, 1 it has changed, 2 it could not be tried.
set -eu
me=$(realpath "$0")
dpkg-query -W -f '${db:Status-Abbrev}' sip-tester 2>/dev/null | grep -q ^ii || apt-get install -qq -y --no-install-recommends sip-tester=1:3.6.1-1+b2 >/dev/null || exit 2
v=$(dpkg-query -W -f '${Version}' sip-tester); echo "sip-tester $v"; test "$v" = 1:3.6.1-1+b2 || exit 2
dir=$(mktemp -d); cd "$dir"; pid=
trap 'kill $pid 2>/dev/null || :; wait; rm -rf "$dir"' EXIT
timeout -k 2 40 sipp -sn uas -i 127.0.0.1 -p 28060 -nostdin -trace_err -error_file err.log >/dev/null 2>&1 & pid=$!; sleep 2

cat >try.py <<'E'
import socket
names = ('Via', 'From', 'To', 'Call-ID', 'CSeq')
for number, blank in enumerate((None,) + names, 1):
    peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    peer.bind(('127.0.0.1', 0))
    peer.settimeout(2)
    port = peer.getsockname()[1]
    values = ('SIP/2.0/UDP 127.0.0.1:%d;branch=z9hG4bK%d' % (port, number), '<sip:a@127.0.0.1>;tag=1', '<sip:b@127.0.0.1>',
              'call%d' % number, '1 INVITE')
    lines = ['%s%s: %s' % (n, ' ' if n == blank else '', v) for n, v in zip(names, values)]
    lines += ['Max-Forwards: 70', 'Contact: <sip:a@127.0.0.1:%d>' % port, 'Content-Length: 0', '', '']
    peer.sendto('\r\n'.join(['INVITE sip:b@127.0.0.1:28060 SIP/2.0'] + lines).encode(), ('127.0.0.1', 28060))
    try:
        answer = peer.recv(9000).decode().split('\r\n')
        seen = answer[0] + ' with ' + ' '.join(n for n in names if any(l.startswith(n) for l in answer))
    except TimeoutError:
        seen = 'no answer'
    print(blank + ' :' if blank else 'no blanks:', seen, flush=True)
E
{
  timeout 30 python3 try.py
  printf 'sipp says: %s\n' "$(tr -d '\r' <err.log | sed -n 's/.*: \(Aborting call on unexpected message.*\)/\1/p' | head -1)"
} | tee out
sed -n 's/^#= //p' "$me" | diff - out
