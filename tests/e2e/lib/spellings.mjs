// How one address can be written in a URL: the table of the SSRF test.

const digits = (text, from) => [...text].map((c) => (c >= '0' && c <= '9' ? String.fromCodePoint(from + Number(c)) : c)).join('');
const percent = (text) => [...text].map((c) => `%${c.charCodeAt(0).toString(16).padStart(2, '0')}`).join('');
const bytes = (ip) => ip.split('.').map(Number);
const whole = (ip) => bytes(ip).reduce((sum, b) => sum * 256 + b, 0);
const hex = (n, width = 0) => n.toString(16).padStart(width, '0');

/** Every notation of an IPv4 address that a URL parser somewhere takes for it. */
export function spellings4(ip) {
  const [a, b, c, d] = bytes(ip);
  const n = whole(ip);
  const list = [
    ip, `${ip}.`,
    `${n}`, `0x${hex(n)}`, `0X${hex(n).toUpperCase()}`, `0x${hex(n, 16)}`, `0${n.toString(8)}`, `0000${n.toString(8)}`, `${n}.`,
    [a, b, c, d].map((x) => `0x${hex(x)}`).join('.'), [a, b, c, d].map((x) => `0x${hex(x, 8)}`).join('.'),
    [a, b, c, d].map((x) => `0${x.toString(8)}`).join('.'), [a, b, c, d].map((x) => `0${x.toString(8).padStart(6, '0')}`).join('.'),
    `0x${hex(a)}.${b}.0${c.toString(8)}.${d}`, `${a}.0x${hex(b)}.${c}.0${d.toString(8)}`,
    `${a}.${b}.${c * 256 + d}`, `${a}.${b * 65536 + c * 256 + d}`, `0x${hex(a)}.${b * 65536 + c * 256 + d}`,
    `${a}.0${(b * 65536 + c * 256 + d).toString(8)}`, `0${a.toString(8)}.0x${hex(b)}.${c * 256 + d}`,
    percent(ip), percent(`0x${hex(n)}`), percent(`${n}`), ip.replace('.', '%2e'), ip.replaceAll('.', '%2E'),
    digits(ip, 0xff10), digits(`${n}`, 0xff10), digits(ip, 0x1d7ce), digits(ip, 0x1d7d8), digits(ip, 0x1d7f6),
    ip.replaceAll('.', '\u3002'), ip.replaceAll('.', '\uff0e'), ip.replaceAll('.', '\uff61'), `${ip}\u3002`,
    digits(ip, 0xff10).replaceAll('.', '\uff0e'), encodeURIComponent(digits(ip, 0xff10)),
    encodeURIComponent(ip.replaceAll('.', '\u3002')), ip.replace(/[1-9]/g, (x) => String.fromCodePoint(0x245f + Number(x))),
    `\uff10\uff58${hex(n)}`, ip.replace('.', '\u00ad.'), `\u200b${ip}`, `${ip}\u2060`,
    // what a sloppy parser reads as it
    `${ip}%00`, `${ip}%00.example.com`, `${ip}%20`, `${ip}%09`, `${ip}%0d%0a`, `${ip}%23`, `${ip}%2f`, `${ip}%5c`, `${ip}..`, `.${ip}`,
    `${a + 256}.${b}.${c}.${d}`, `${a}.${b}.${c}.${d + 256}`, `${n + 2 ** 32}`, `0x1${hex(n, 8)}`, `${a}.${b}.${c}.${d}.0`, `-${ip}`,
    `${ip}:80@8.8.8.8`, `8.8.8.8@${ip}`, `user:pw@${ip}`, `8.8.8.8#@${ip}`, `8.8.8.8\\@${ip}`, `8.8.8.8%40${ip}`, `8.8.8.8 ${ip}`,
    `[${ip}]`, `[::${ip}`, `${ip}]`,
  ];
  return list;
}

/** Every IPv6 address that leads to an IPv4 one, and ways to write it. */
export function spellings6(ip) {
  const [a, b, c, d] = bytes(ip);
  const two = `${hex(a)}${hex(b, 2)}:${hex(c)}${hex(d, 2)}`;
  const inverted = `${hex(255 - a)}${hex(255 - b, 2)}:${hex(255 - c)}${hex(255 - d, 2)}`;
  return [
    `::ffff:${ip}`, `::ffff:${two}`, `::FFFF:${two}`, `0:0:0:0:0:ffff:${ip}`, `0000:0000:0000:0000:0000:ffff:${two}`, `0::0:ffff:${two}`,
    `::${ip}`, `::${two}`, `0:0:0:0:0:0:${two}`,
    `::ffff:0:${ip}`, `::ffff:0:${two}`,
    `64:ff9b::${ip}`, `64:ff9b::${two}`, `0064:FF9B:0:0:0:0:${two}`, `64:ff9b:1::${two}`, `64:ff9b:1:2:3:4:${two}`,
    `2002:${two}::`, `2002:${two}::1`, `2002:${two}:1:2:3:4:5`,
    `2001::${inverted}`, `2001:0:4136:e378:8000:63bf:${inverted}`, `2001:0:${two}::1`,
    `2a00:1450::5efe:${two}`, `2a00:1450::200:5efe:${ip}`, `fe80::5efe:${two}`,
  ].map((text) => `[${text}]`).concat([`[::ffff:${ip}%25lo]`, `[::ffff:${ip}%lo]`, percent(`[::ffff:${ip}]`), `::ffff:${ip}`]);
}

// IANA's special-purpose registries, edges and famous inhabitants.
export const forbidden4 = ['127.0.0.1', '127.255.255.254', '10.0.0.1', '10.255.255.255', '172.16.0.1', '172.31.255.255', '192.168.0.1',
  '192.168.255.255', '169.254.169.254', '169.254.0.1', '100.64.0.1', '100.127.255.255', '100.100.100.200', '0.0.0.0', '0.1.2.3', '192.0.0.1',
  '192.0.0.192', '192.0.2.1', '192.31.196.1', '192.52.193.1', '192.88.99.1', '192.175.48.1', '198.18.0.1', '198.19.255.255',
  '198.51.100.1', '203.0.113.1', '224.0.0.1', '239.255.255.250', '240.0.0.1', '255.255.255.255', '168.63.129.16'];
export const forbidden6 = ['::', '::1', '::2', 'fe80::1', 'febf::1', 'fec0::1', 'fc00::1', 'fd00:ec2::254', 'fd20:ce::254', 'fdff::1', 'ff02::1', 'ff0e::1', '100::1', '100:0:0:1::1',
  '2001::1', '2001:1::1', '2001:1::2', '2001:2::1', '2001:3::1', '2001:4:112::1', '2001:10::1', '2001:20::1', '2001:30::1', '2001:1ff::1', '2001:db8::1', '2002::1',
  '2620:4f:8000::1', '3fff::1', '3fff:fff::1', '5f00::1', '64:ff9b:1::1', '4000::1', '8000::1', 'c000::1', '1000::1', '0:1::1'];
