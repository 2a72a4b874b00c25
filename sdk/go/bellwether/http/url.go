package http

import (
	"strings"

	"bellwether"
)

// target is a URL taken apart.
type target struct {
	secure    bool
	authority string
	path      string
}

// origin is scheme and authority.
func (t target) origin() string {
	if t.secure {
		return "https://" + t.authority
	}
	return "http://" + t.authority
}

// parse takes a URL apart. Its message never holds the URL: it may carry a token.
func parse(text string) (target, error) {
	scheme, rest, found := strings.Cut(text, "://")
	secure := strings.EqualFold(scheme, "https")
	if !found || !secure && !strings.EqualFold(scheme, "http") {
		return target{}, bellwether.InvalidConfig("the URL to call must begin with https:// or http://")
	}
	if strings.ContainsFunc(text, func(r rune) bool { return r <= 0x20 || r == 0x7F }) {
		return target{}, bellwether.InvalidConfig("the URL to call contains a space or a control character")
	}
	rest, _, _ = strings.Cut(rest, "#")
	end := strings.IndexAny(rest, "/?")
	if end < 0 {
		end = len(rest)
	}
	authority, path := rest[:end], rest[end:]
	if strings.Contains(authority, "@") {
		return target{}, bellwether.InvalidConfig(
			"a URL to call must not carry a user name or a password: use a header and a secret")
	}
	if authority == "" || authority[0] == ':' {
		return target{}, bellwether.InvalidConfig("the URL to call names no host")
	}
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	return target{secure, strings.ToLower(authority), path}, nil
}

// wellFormed: a name is a token and a value has no control character, for a line break would start another header.
func wellFormed(header Header) bool {
	token := func(r rune) bool {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		return letter || strings.ContainsRune("!#$%&'*+-.^_`|~", r)
	}
	for _, r := range header.Name {
		if !token(r) {
			return false
		}
	}
	for place := range len(header.Value) {
		if b := header.Value[place]; b != '\t' && b < 0x20 || b == 0x7F {
			return false
		}
	}
	return header.Name != ""
}
