package secrets

import (
	"bytes"
	"encoding/asn1"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"math/big"
	"strconv"
	"strings"
)

const dashes = "-----"

// findPEM finds a private key in PEM by the end of its first or last line. It parses
// the key, so that a certificate, a public key and the text of an example are none.
func findPEM(s *scan, at int, anchor string) (span, bool) {
	const begin = dashes + "BEGIN "
	from := bytes.LastIndex(s.text[max(0, at-40):at], []byte(begin))
	if from < 0 {
		return span{}, false
	}
	from += max(0, at-40)
	label := string(s.text[from+len(begin):at]) + strings.TrimSuffix(anchor, dashes)
	body := at + len(anchor)
	n := bytes.Index(s.text[body:], []byte(dashes)) // base64 and headers contain no dashes, so that no byte is searched twice
	if n < 0 || !bytes.HasPrefix(s.text[body+n:], []byte(dashes+"END "+label+dashes)) {
		return span{}, false
	}
	lines, encrypted := unwrap(s.text[body : body+n])
	k := parseKey(label, lines, encrypted)
	if k == nil {
		return span{}, false
	}
	what := k.what
	if k.locked {
		what += " with a passphrase"
	}
	to := body + n + len(dashes+"END "+label+dashes)
	return span{from: from, to: to, value: k.der, shown: lines, what: what, proven: true, locked: k.locked}, true
}

// key is a private key.
type key struct {
	what   string
	der    []byte // its binary form
	locked bool   // encrypted
}

// parseKey parses the base64 of a PEM block. encrypted says that OpenSSL's headers
// for an encrypted key preceded it. parseKey returns nil if it is no private key.
func parseKey(label string, lines []byte, encrypted bool) *key {
	if label == "PGP PRIVATE KEY BLOCK" {
		return parsePGP(lines)
	}
	der, err := base64.StdEncoding.AppendDecode(nil, lines)
	if err != nil || len(der) < 16 {
		return nil
	}
	if encrypted {
		return &key{what: keyName(label), der: der, locked: true}
	}
	switch label {
	case "RSA PRIVATE KEY":
		return named("RSA private key", der, validRSA(der))
	case "EC PRIVATE KEY":
		return named("EC private key", der, validEC(der))
	case "DSA PRIVATE KEY":
		return named("DSA private key", der, validDSA(der))
	case "OPENSSH PRIVATE KEY":
		return parseOpenSSH(der)
	case "PRIVATE KEY":
		return parsePKCS8(der)
	case "ENCRYPTED PRIVATE KEY":
		var info struct {
			Algorithm algorithm
			Data      []byte
		}
		rest, err := asn1.Unmarshal(der, &info)
		if err != nil || len(rest) > 0 || len(info.Data) < 16 {
			return nil
		}
		return &key{what: "private key", der: der, locked: true}
	}
	return nil
}

// keyName returns the label of a PEM block as a noun phrase.
func keyName(label string) string {
	switch label {
	case "RSA PRIVATE KEY", "EC PRIVATE KEY", "DSA PRIVATE KEY":
		return strings.TrimSuffix(label, " PRIVATE KEY") + " private key"
	}
	return "private key"
}

func named(what string, der []byte, ok bool) *key {
	if !ok {
		return nil
	}
	return &key{what: what, der: der}
}

// unwrap returns the base64 of a PEM block without what may surround its lines:
// spaces, escapes, and the quotes, commas and plus signs of source code. It drops
// headers; encrypted says that there were those of an encrypted key.
func unwrap(body []byte) (lines []byte, encrypted bool) {
	if i := bytes.Index(body, []byte("DEK-Info:")); i >= 0 {
		encrypted = bytes.Contains(body[:i], []byte("ENCRYPTED"))
		end := bytes.IndexAny(body[i:], "\n\\") // the end of its line, escaped or not
		if end < 0 {
			return nil, encrypted
		}
		body = body[i+end:]
	} else if i := bytes.Index(body, []byte("\n\n")); i >= 0 && bytes.IndexByte(body[:i], ':') >= 0 {
		body = body[i:] // Version and Comment of PGP
	} else if i := bytes.Index(body, []byte("\r\n\r\n")); i >= 0 && bytes.IndexByte(body[:i], ':') >= 0 {
		body = body[i:]
	}
	lines = make([]byte, 0, len(body))
	outside := false // between two strings of source code
	for i := 0; i < len(body); i++ {
		switch c := body[i]; {
		case c == '"' || c == '\'':
			outside = !outside
		case c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == ',':
		case c == '\\':
			if i+1 < len(body) && strings.IndexByte("nrt\n\r\"", body[i+1]) >= 0 {
				i++
			}
		case c == '+' && outside:
		default:
			lines = append(lines, c)
		}
	}
	return lines, encrypted
}

type algorithm struct {
	ID         asn1.ObjectIdentifier
	Parameters asn1.RawValue `asn1:"optional"`
}

func parsePKCS8(der []byte) *key {
	var info struct {
		Version   int
		Algorithm algorithm
		Key       []byte
	}
	// What follows the key, attributes and a public key, is not looked at.
	var seq asn1.RawValue
	if rest, err := asn1.Unmarshal(der, &seq); err != nil || len(bytes.Trim(rest, "\x00")) > 0 || seq.Tag != asn1.TagSequence {
		return nil
	}
	rest, err := asn1.Unmarshal(seq.Bytes, &info.Version)
	if err == nil {
		rest, err = asn1.Unmarshal(rest, &info.Algorithm)
	}
	if err == nil {
		_, err = asn1.Unmarshal(rest, &info.Key)
	}
	if err != nil || info.Version < 0 || info.Version > 1 {
		return nil
	}
	switch id := info.Algorithm.ID.String(); id {
	case "1.2.840.113549.1.1.1", "1.2.840.113549.1.1.10":
		return named("RSA private key", der, validRSA(info.Key))
	case "1.2.840.10045.2.1":
		return named("EC private key", der, validEC(info.Key))
	case "1.3.101.110", "1.3.101.111", "1.3.101.112", "1.3.101.113":
		var seed []byte
		_, err := asn1.Unmarshal(info.Key, &seed)
		what := map[string]string{"1.3.101.110": "X25519", "1.3.101.111": "X448", "1.3.101.112": "Ed25519", "1.3.101.113": "Ed448"}[id]
		return named(what+" private key", der, err == nil && len(seed) >= 32 && len(seed) <= 57 && varied(seed))
	case "1.2.840.10040.4.1", "1.2.840.113549.1.3.1":
		x := new(big.Int)
		_, err := asn1.Unmarshal(info.Key, &x)
		return named("DSA or DH private key", der, err == nil && x.BitLen() > 100)
	}
	return named("private key", der, len(info.Key) >= 32 && varied(info.Key))
}

// validRSA reports whether der is an RSA private key whose primes make its modulus.
func validRSA(der []byte) bool {
	if len(der) > 16<<10 { // 32,768 bits take 18 KiB
		return false
	}
	var k struct {
		Version          int
		N                *big.Int
		E                *big.Int
		D, P, Q          *big.Int
		Dp, Dq, Qinv     *big.Int
		AdditionalPrimes []asn1.RawValue `asn1:"optional,omitempty"`
	}
	if _, err := asn1.Unmarshal(der, &k); err != nil {
		return false
	}
	if k.Version == 1 {
		return k.N.BitLen() >= 512
	}
	return k.Version == 0 && k.N.BitLen() >= 512 && k.D.BitLen() > 100 && new(big.Int).Mul(k.P, k.Q).Cmp(k.N) == 0
}

// validEC reports whether der is an EC private key as in RFC 5915.
func validEC(der []byte) bool {
	var k struct {
		Version int
		Key     []byte
		Curve   asn1.ObjectIdentifier `asn1:"optional,explicit,tag:0"`
		Public  asn1.BitString        `asn1:"optional,explicit,tag:1"`
	}
	_, err := asn1.Unmarshal(der, &k)
	return err == nil && k.Version == 1 && len(k.Key) >= 16 && len(k.Key) <= 72 && varied(k.Key)
}

func validDSA(der []byte) bool {
	var k struct {
		Version       int
		P, Q, G, Y, X *big.Int
	}
	_, err := asn1.Unmarshal(der, &k)
	return err == nil && k.Version == 0 && k.P.BitLen() >= 512 && k.X.BitLen() > 100 && k.X.Cmp(k.Q) < 0
}

// varied reports whether secret bytes are not all the same.
func varied(secret []byte) bool {
	for _, c := range secret {
		if c != secret[len(secret)-1] {
			return true
		}
	}
	return false
}

// parseOpenSSH parses a key in OpenSSH's own format (PROTOCOL.key).
func parseOpenSSH(der []byte) *key {
	rest, ok := bytes.CutPrefix(der, []byte("openssh-key-v1\x00"))
	if !ok {
		return nil
	}
	var fields [3][]byte // cipher, kdf, its options
	for i := range fields {
		if fields[i], rest = sshString(rest); rest == nil {
			return nil
		}
	}
	if len(rest) < 4 || binary.BigEndian.Uint32(rest) != 1 {
		return nil
	}
	public, rest := sshString(rest[4:])
	private, _ := sshString(rest)
	kind, _ := sshString(public)
	what := "SSH private key"
	switch {
	case bytes.HasPrefix(kind, []byte("ssh-rsa")):
		what = "RSA private key (SSH)"
	case bytes.HasPrefix(kind, []byte("ssh-ed25519")):
		what = "Ed25519 private key (SSH)"
	case bytes.HasPrefix(kind, []byte("ecdsa-")):
		what = "EC private key (SSH)"
	}
	if len(kind) == 0 || len(private) < 16 {
		return nil
	}
	if string(fields[0]) != "none" {
		return &key{what: what, der: der, locked: true}
	}
	// Two equal random numbers and the kind of the key precede an unencrypted one.
	again, _ := sshString(private[8:])
	return named(what, der, bytes.Equal(private[:4], private[4:8]) && bytes.Equal(again, kind))
}

// sshString returns a string with its length before it, and the rest, which is nil
// if there is no such string.
func sshString(p []byte) (text, rest []byte) {
	if len(p) < 4 {
		return nil, nil
	}
	n := binary.BigEndian.Uint32(p)
	if uint64(n) > uint64(len(p)-4) {
		return nil, nil
	}
	return p[4 : 4+n], p[4+n:]
}

// parsePGP parses the first packet of an armored private key (RFC 9580).
func parsePGP(lines []byte) *key {
	var sum []byte
	if n := len(lines) - 5; n > 0 && lines[n] == '=' {
		lines, sum = lines[:n], lines[n+1:]
	}
	der, err := base64.StdEncoding.AppendDecode(nil, lines)
	if err != nil || len(der) < 32 {
		return nil
	}
	if want, err := base64.StdEncoding.AppendDecode(nil, sum); err != nil || sum != nil && !bytes.Equal(want, crc24(der)) {
		return nil
	}
	isKey := der[0]&0xfc == 5<<2|0x80 || der[0] == 5|0xc0 // a secret key packet, in the old or the new form
	return named("PGP private key", der, isKey)
}

func crc24(p []byte) []byte {
	crc := uint32(0xb704ce)
	for _, c := range p {
		crc ^= uint32(c) << 16
		for range 8 {
			if crc <<= 1; crc&0x1000000 != 0 {
				crc ^= 0x1864cfb
			}
		}
	}
	return []byte{byte(crc >> 16), byte(crc >> 8), byte(crc)}
}

// findPuTTY finds a key in PuTTY's format.
func findPuTTY(s *scan, at int, _ string) (span, bool) {
	const limit = 16 << 10
	text := s.text[at:min(len(s.text), at+limit)]
	if at > 0 && s.text[at-1] != '\n' {
		return span{}, false
	}
	encryption, private := "", 0
	end := 0
	for number := 0; end < len(text) && number < 200; number++ {
		line, _, _ := bytes.Cut(text[end:], []byte("\n"))
		end = min(end+len(line)+1, len(text))
		name, value, ok := strings.Cut(strings.TrimRight(string(line), "\r"), ": ")
		switch {
		case private > 0:
			if _, err := base64.StdEncoding.DecodeString(name); err != nil || len(name) < 4 {
				return span{}, false
			}
			if private--; private == 0 {
				s := span{from: at, to: at + end, what: "PuTTY private key", proven: true, locked: encryption != "none"}
				if s.locked {
					s.what += " with a passphrase"
				}
				return s, true
			}
		case ok && name == "Encryption":
			encryption = value
		case ok && name == "Private-Lines":
			n, err := strconv.Atoi(value)
			if err != nil || n < 1 || n > 100 || encryption == "" {
				return span{}, false
			}
			private = n
		}
	}
	return span{}, false
}

// findJWK finds the JSON object around a "kty".
func findJWK(s *scan, at int, _ string) (span, bool) {
	const limit = 16 << 10
	low := max(s.kty, at-limit) // what lies before the "kty" before belongs to that one
	s.kty = at
	if at < s.unclosed {
		return span{}, false
	}
	open := bytes.LastIndexByte(s.text[low:at], '{')
	if open < 0 {
		return span{}, false
	}
	open += low
	window := s.text[open:min(len(s.text), open+limit)]
	n := bytes.IndexByte(window, '}')
	if n < 0 {
		s.unclosed = open + len(window)
		return span{}, false
	}
	text := window[:n+1]
	if bytes.IndexByte(text[1:], '{') >= 0 { // a key is flat
		return span{}, false
	}
	var k struct{ Kty, N, D string }
	if json.Unmarshal(text, &k) != nil {
		return span{}, false
	}
	d, err := base64.RawURLEncoding.DecodeString(k.D)
	if err != nil || len(d) < 16 || !varied(d) {
		return span{}, false
	}
	switch k.Kty {
	case "EC", "OKP":
		if len(d) < 24 || len(d) > 66 {
			return span{}, false
		}
	case "RSA":
		n, err := base64.RawURLEncoding.DecodeString(k.N)
		if err != nil || len(n) < 64 || len(d) > len(n) {
			return span{}, false
		}
	default:
		return span{}, false
	}
	return span{from: open, to: open + len(text), value: d, what: k.Kty + " private key (JWK)", proven: true}, true
}

// findAge finds a key of age, which has a Bech32 checksum.
func findAge(s *scan, at int, anchor string) (span, bool) {
	const digits = "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L"
	body := at + len(anchor)
	if len(s.text)-body < 58 || !boundary(s.text, at) {
		return span{}, false
	}
	var values []byte
	prefix := strings.ToLower(strings.TrimSuffix(anchor, "1"))
	for i := range len(prefix) {
		values = append(values, prefix[i]>>5)
	}
	values = append(values, 0)
	for i := range len(prefix) {
		values = append(values, prefix[i]&31)
	}
	for _, c := range s.text[body : body+58] {
		n := strings.IndexByte(digits, c)
		if n < 0 {
			return span{}, false
		}
		values = append(values, byte(n))
	}
	return span{from: at, to: body + 58, proven: true}, polymod(values) == 1
}

// polymod is the checksum of Bech32 (BIP 173).
func polymod(values []byte) uint32 {
	sum := uint32(1)
	for _, v := range values {
		top := sum >> 25
		sum = sum&0x1ffffff<<5 ^ uint32(v)
		for i, g := range [...]uint32{0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3} {
			if top>>i&1 == 1 {
				sum ^= g
			}
		}
	}
	return sum
}
