package load

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// digest is an algorithm and the hash in hex. The zero value means none.
type digest struct{ alg, hex string }

func (d digest) String() string { return d.alg + ":" + d.hex }

// parseDigest parses a digest of any algorithm. It returns zero if s is not one.
// Neither part can hold a slash, so that both can be used as file names.
func parseDigest(s string) digest {
	alg, value, ok := strings.Cut(s, ":")
	if !ok || alg == "" || value == "" || len(s) > 512 {
		return digest{}
	}
	for _, c := range alg {
		if !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || strings.ContainsRune("+_-", c)) {
			return digest{}
		}
	}
	for _, c := range value {
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune("=_-", c)) {
			return digest{}
		}
	}
	d := digest{alg, value}
	if size := map[string]int{"sha256": 64, "sha512": 128}[alg]; size != 0 {
		if _, err := hex.DecodeString(value); err != nil || len(value) != size || value != strings.ToLower(value) {
			return digest{}
		}
	}
	return d
}

// checkable reports whether the algorithm is a known one.
func (d digest) checkable() bool { return d.alg == "sha256" || d.alg == "sha512" }

// of returns the digest of b with d's algorithm.
func (d digest) of(b []byte) digest {
	if d.alg == "sha512" {
		sum := sha512.Sum512(b)
		return digest{d.alg, hex.EncodeToString(sum[:])}
	}
	return digestOf(b)
}

func digestOf(b []byte) digest {
	sum := sha256.Sum256(b)
	return digest{"sha256", hex.EncodeToString(sum[:])}
}

func (d digest) hash() v1.Hash { return v1.Hash{Algorithm: d.alg, Hex: d.hex} }

// decode decodes one JSON value, which may follow a byte order mark. It returns
// how many bytes other than white space follow the value.
func decode(b []byte, v any) (trailing int, err error) {
	b = bytes.TrimPrefix(b, bom)
	if len(bytes.TrimSpace(b)) == 0 {
		return 0, io.ErrUnexpectedEOF
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	if err := dec.Decode(v); err != nil {
		return 0, wrongType(err)
	}
	return len(bytes.TrimSpace(b[dec.InputOffset():])), nil
}

// wrongType returns an error about a value of the wrong type without the names of
// Go's types, and any other error unchanged.
func wrongType(err error) error {
	var e *json.UnmarshalTypeError
	switch {
	case !errors.As(err, &e):
		return err
	case e.Field == "":
		return fmt.Errorf("its JSON is of the wrong type (%s)", e.Value)
	}
	return fmt.Errorf("%s is of the wrong type (%s)", e.Field, e.Value)
}

// first returns the first byte of a JSON value, 0 if there is none.
func first(b []byte) byte {
	b = bytes.TrimSpace(bytes.TrimPrefix(b, bom))
	if len(b) == 0 {
		return 0
	}
	return b[0]
}
