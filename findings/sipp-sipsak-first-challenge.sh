#!/bin/sh
# FINDING: sipp and sipsak look at the first challenge alone: a 401 that offers SHA-256 and then MD5 ends them.
#
# Versions: Debian 12's sip-tester 1:3.6.1-1+b2 (sipp 3.6.1), sipsak 0.9.8.1-1.
# A good engineer would guess: of two challenges a client takes the first that it can do: RFC 8760 §2 has the server list them in the order that
#   it prefers, and the client ignore what it does not know. So SHA-256 first is safe with old clients.
# Seen: both have MD5 only, and both stop at the first line. sipp's error ends the whole run, not the call: exit status 255. The other way
#   round both log in, with MD5.
# Output seen:
#= sipp, MD5 then SHA-256: authorized with MD5, exit 0
#= sipp, SHA-256 then MD5: no second request, exit 255
#= sipsak, MD5 then SHA-256: authorized with MD5, exit 0
#= sipsak, SHA-256 then MD5: no second request, exit 2
# Why it matters: the order that the standard asks for locks out who tests and who has old devices; the other order is that in which newer clients choose
#   the weaker one. There is no order that serves all: make it a setting of each peer.
# Exit: 0 as described, 1 it has changed, 2 it could not be tried.
set -eu
me=$(realpath "$0")
for p in sip-tester=1:3.6.1-1+b2 sipsak=0.9.8.1-1; do
  dpkg-query -W -f '${db:Status-Abbrev}' "${p%%=*}" 2>/dev/null | grep -q ^ii || apt-get install -qq -y --no-install-recommends "$p" >/dev/null || exit 2
  v=$(dpkg-query -W -f '${Version}' "${p%%=*}"); echo "${p%%=*} $v"; test "$v" = "${p#*=}" || exit 2
done
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
cat >register.xml <<'E'
<?xml version="1.0" encoding="ISO-8859-1" ?>
<scenario name="register"><send><![CDATA[
REGISTER sip:example.com SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
Max-Forwards: 70
From: <sip:u@example.com>;tag=[call_number]
To: <sip:u@example.com>
Call-ID: [call_id]
CSeq: 1 REGISTER
Contact: <sip:u@[local_ip]:[local_port]>
Content-Length: 0

]]></send><recv response="401" auth="true"/><send><![CDATA[
REGISTER sip:example.com SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
Max-Forwards: 70
From: <sip:u@example.com>;tag=[call_number]
To: <sip:u@example.com>
Call-ID: [call_id]
CSeq: 2 REGISTER
Contact: <sip:u@[local_ip]:[local_port]>
[authentication username=u password=p]
Content-Length: 0

]]></send><recv response="200"/></scenario>
E
cat >try.py <<'E'
# A registrar that challenges with two algorithms in the order asked for, and the client that registers with it.
import re, socket, subprocess
clients = {
    'sipp': 'sipp -sf register.xml -i 127.0.0.1 -p 28062 -m 1 -nostdin -timeout 5 127.0.0.1:28061'.split(),
    'sipsak': 'sipsak -U -s sip:u@127.0.0.1:28061 -a p -C sip:u@127.0.0.1 -l 28062'.split(),
}
for name, command in clients.items():
    for order in ('MD5', 'SHA-256'), ('SHA-256', 'MD5'):
        server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        server.bind(('127.0.0.1', 28061))
        server.settimeout(3)
        client = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        seen = 'no second request'
        try:
            for i in range(2):
                text, peer = server.recvfrom(9000)
                text = text.decode()
                header = lambda n: re.search(r'(?im)^%s: *(.*?)\r$' % n, text).group(1)
                credentials = re.search(r'(?im)^Authorization:.*algorithm="?([^",\r]+)', text)
                if credentials:
                    seen = 'authorized with ' + credentials.group(1)
                challenge = '' if credentials else ''.join(
                    'WWW-Authenticate: Digest realm="example.com", nonce="a1b2c3", algorithm=%s, qop="auth"\r\n' % a for a in order)
                copied = ''.join('%s: %s%s\r\n' % (n, header(n), ';tag=2' if n == 'To' else '') for n in ('Via', 'From', 'To', 'Call-ID', 'CSeq'))
                server.sendto(('SIP/2.0 %s\r\n%s%sContent-Length: 0\r\n\r\n' % (
                    '200 OK' if credentials else '401 Unauthorized', copied, challenge)).encode(), peer)
        except TimeoutError:
            pass
        try:
            end = client.wait(10)
        except subprocess.TimeoutExpired:
            client.kill()
            end = 'by us'
        server.close()
        print('%s, %s: %s, exit %s' % (name, ' then '.join(order), seen, end), flush=True)
E
timeout 90 python3 try.py | tee out
sed -n 's/^#= //p' "$me" | diff - out
