#!/bin/sh
# FINDING: libpcap refuses a pcapng whose second interface has the same link type as the first, when that type is LINKTYPE_RAW.
#
# Versions: Debian 12's libpcap0.8 1.10.3-1 (called by python3's ctypes) and sngrep 1.6.0-1.
# A good engineer would guess: libpcap reads pcapng with several interfaces as long as all have one link type and snapshot length;
#   so two interfaces of LINKTYPE_RAW (101, packets that begin with the IP header) are as good as two of Ethernet.
# Seen: with Ethernet (1), LINUX_SLL (113) and IPV4 (228) both packets are read. With RAW the second description of an interface ends the
#   file: "an interface has a type 101 different from the type of the first interface". It is the same type; but 101 is the number in
#   files, and the program's own (DLT_RAW) is 12 on Linux. A file of two sections, as `cat a.pcapng b.pcapng` makes, ends there too.
#   sngrep shows no word of it: it exits with 0, and the calls are not there.
# Output seen:
#= two interfaces, Ethernet: 2 packets
#= two interfaces, LINUX_SLL: 2 packets
#= two interfaces, IPV4: 2 packets
#= two interfaces, RAW: 0 packets, an interface has a type 101 different from the type of the first interface
#= two sections, Ethernet: 2 packets
#= two sections, RAW: 1 packets, an interface has a type 101 different from the type of the first interface
#= sngrep, two interfaces, Ethernet: exit 0, 2 INVITEs
#= sngrep, two interfaces, RAW: exit 0, 0 INVITEs
# Why it matters: a SIP server that writes its own captures has no Ethernet header to write and takes RAW; one interface per leg or per
#   listener is what pcapng is for. Everything that reads with libpcap (tcpdump, sngrep) then loses calls. One interface for all, or
#   a made-up Ethernet header.
# Exit: 0 as described, 1 it has changed, 2 it could not be tried.
set -eu
me=$(realpath "$0")
for p in libpcap0.8=1.10.3-1 sngrep=1.6.0-1; do
  dpkg-query -W -f '${db:Status-Abbrev}' "${p%=*}" 2>/dev/null | grep -q ^ii || apt-get install -qq -y --no-install-recommends "$p" >/dev/null || exit 2
  v=$(dpkg-query -W -f '${Version}' "${p%=*}"); echo "${p%=*} $v"; test "$v" = "${p#*=}" || exit 2
done
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"

cat >try.py <<'E'
import ctypes, struct, subprocess
pcap = ctypes.CDLL('libpcap.so.0.8')
pcap.pcap_open_offline.restype = ctypes.c_void_p
pcap.pcap_geterr.restype = ctypes.c_char_p

def packet(call):
    text = ('INVITE sip:b@127.0.0.2 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK%s\r\nMax-Forwards: 70\r\n'
            'From: <sip:a@127.0.0.1>;tag=1\r\nTo: <sip:b@127.0.0.2>\r\nCall-ID: %s\r\nCSeq: 1 INVITE\r\n'
            'Contact: <sip:a@127.0.0.1>\r\nContent-Length: 0\r\n\r\n' % (call, call)).encode()
    udp = struct.pack('>HHHH', 5060, 5060, 8 + len(text), 0) + text
    ip = struct.pack('>BBHHHBBH4s4s', 0x45, 0, 20 + len(udp), 1, 0, 64, 17, 0, bytes([127, 0, 0, 1]), bytes([127, 0, 0, 2]))
    total = sum(struct.unpack('>10H', ip))
    total = (total & 0xffff) + (total >> 16)
    return ip[:10] + struct.pack('>H', ~total & 0xffff) + ip[12:] + udp

def block(kind, body):
    body += b'\0' * (-len(body) % 4)
    return struct.pack('<II', kind, len(body) + 12) + body + struct.pack('<I', len(body) + 12)

section = block(0x0A0D0D0A, struct.pack('<IHHq', 0x1A2B3C4D, 1, 0, -1))
interface = lambda link: block(1, struct.pack('<HHI', link, 0, 262144))
enhanced = lambda number, data: block(6, struct.pack('<IIIII', number, 400000, 1000000, len(data), len(data)) + data)
before = {'Ethernet': b'\2\0\0\0\0\1\2\0\0\0\0\2\x08\0', 'LINUX_SLL': b'\0\0\3\4\0\6' + b'\0' * 8 + b'\x08\0', 'IPV4': b'', 'RAW': b''}
link = {'Ethernet': 1, 'LINUX_SLL': 113, 'IPV4': 228, 'RAW': 101}

def read(name, data):
    open('c.pcapng', 'wb').write(data)
    file = ctypes.c_void_p(pcap.pcap_open_offline(b'c.pcapng', ctypes.create_string_buffer(256)))
    header, at, count = ctypes.c_void_p(), ctypes.c_void_p(), 0
    while pcap.pcap_next_ex(file, ctypes.byref(header), ctypes.byref(at)) == 1:
        count += 1
    error = pcap.pcap_geterr(file).decode()
    print('%s: %d packets%s' % (name, count, ', ' + error if error else ''))

def sngrep(name, data):
    open('c.pcapng', 'wb').write(data)
    open('o.pcap', 'wb')
    end = subprocess.run(['sngrep', '-N', '-q', '-I', 'c.pcapng', '-O', 'o.pcap'], stdin=subprocess.DEVNULL, capture_output=True, timeout=30)
    print('sngrep, %s: exit %d, %d INVITEs' % (name, end.returncode, open('o.pcap', 'rb').read().count(b'CSeq: 1 INVITE')))

two = lambda n: section + interface(link[n]) * 2 + enhanced(0, before[n] + packet('one')) + enhanced(1, before[n] + packet('two'))
sections = lambda n: b''.join(section + interface(link[n]) + enhanced(0, before[n] + packet(c)) for c in ('one', 'two'))
for n in link:
    read('two interfaces, ' + n, two(n))
for n in ('Ethernet', 'RAW'):
    read('two sections, ' + n, sections(n))
for n in ('Ethernet', 'RAW'):
    sngrep('two interfaces, ' + n, two(n))
E
timeout 90 python3 try.py | tee out
sed -n 's/^#= //p' "$me" | diff - out
