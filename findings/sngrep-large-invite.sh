#!/bin/sh
# FINDING: sngrep shows nothing of a call whose INVITE over UDP has more than 10,240 octets, and says nothing.
#
# Versions: Debian 12's sngrep 1.6.0-1.
# A good engineer would guess: a capture's SIP is shown whatever its size: RFC 3261 §18.1.1 has every element take UDP packets up to 65,535 octets. Or it
#   is cut, or an error tells.
# Seen: 10,240 octets are there, 10,241 are not, and what follows in that call is not either. The exit status is 0 both times. (The pcap's snapshot length is
#   262,144; nothing is cut in the file.)
# Output seen:
#= INVITE of 10240 octets, 180, 200: exit 0, 3 messages
#= INVITE of 10241 octets, 180, 200: exit 0, 0 messages
# Why it matters: an INVITE with a PASSporT in Identity, History-Info, ICE candidates and a multipart body gets there, over loopback or with jumbo
#   frames in one packet. The call that is too large is the one whose trace is asked for, and it looks as if it had never come.
# Exit: 0 as described, 1 it has changed, 2 it could not be tried.
set -eu
me=$(realpath "$0")
dpkg-query -W -f '${db:Status-Abbrev}' sngrep 2>/dev/null | grep -q ^ii || apt-get install -qq -y --no-install-recommends sngrep=1.6.0-1 >/dev/null || exit 2
v=$(dpkg-query -W -f '${Version}' sngrep); echo "sngrep $v"; test "$v" = 1.6.0-1 || exit 2
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
cat >try.py <<'E'
import struct, subprocess
A, B = bytes([127, 0, 0, 1]), bytes([127, 0, 0, 2])

def packet(source, to, text):
    udp = struct.pack('>HHHH', 5060, 5060, 8 + len(text), 0) + text
    ip = struct.pack('>BBHHHBBH4s4s', 0x45, 0, 20 + len(udp), 1, 0, 64, 17, 0, source, to)
    total = sum(struct.unpack('>10H', ip))
    total = (total & 0xffff) + (total >> 16)
    data = ip[:10] + struct.pack('>H', ~total & 0xffff) + ip[12:] + udp
    return struct.pack('<IIII', 1800000000, 0, len(data), len(data)) + data

def sip(first, to_tag='', extra=''):
    return (first + '\r\nVia: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK1\r\nMax-Forwards: 70\r\nFrom: <sip:a@127.0.0.1>;tag=1\r\nTo: <sip:b@127.0.0.2>' +
            to_tag + '\r\nCall-ID: one\r\nCSeq: 1 INVITE\r\nContact: <sip:a@127.0.0.1>\r\n' + extra + 'Content-Length: 0\r\n\r\n').encode()

for size in 10240, 10241:
    line = 'INVITE sip:b@127.0.0.2 SIP/2.0'
    invite = sip(line, extra='X-Fill: ' + 'x' * (size - len(sip(line, extra='X-Fill: \r\n'))) + '\r\n')
    assert len(invite) == size
    open('c.pcap', 'wb').write(struct.pack('<IHHiIII', 0xa1b2c3d4, 2, 4, 0, 0, 262144, 101) + packet(A, B, invite) +
                               packet(B, A, sip('SIP/2.0 180 Ringing', ';tag=2')) + packet(B, A, sip('SIP/2.0 200 OK', ';tag=2')))
    open('o.pcap', 'wb')
    end = subprocess.run(['sngrep', '-N', '-q', '-I', 'c.pcap', '-O', 'o.pcap'], stdin=subprocess.DEVNULL, capture_output=True, timeout=30)
    print('INVITE of %d octets, 180, 200: exit %d, %d messages' % (size, end.returncode, open('o.pcap', 'rb').read().count(b'Call-ID: one')))
E
timeout 60 python3 try.py | tee out
sed -n 's/^#= //p' "$me" | diff - out
