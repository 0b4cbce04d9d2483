package viewer

import (
	"bytes"
	"embed"
	"path"
	"strings"
	"sync"

	"github.com/alecthomas/chroma/v2"
)

//go:embed lexers/*.xml
var definitions embed.FS

// languages are the languages that can be highlighted. Their rules are compiled when a
// file of theirs is viewed.
var languages = sync.OnceValue(func() *chroma.LexerRegistry {
	all := chroma.NewLexerRegistry()
	files, _ := definitions.ReadDir("lexers") // embedded
	for _, f := range files {
		all.Register(chroma.MustNewXMLLexer(definitions, "lexers/"+f.Name()))
	}
	return all
})

// endings and interpreters add to the names of files and languages that the
// definitions know.
var (
	endings = map[string]string{
		".conf": "ini", ".cnf": "ini", ".repo": "ini", ".desktop": "ini", ".properties": "ini", ".npmrc": "ini", ".timer": "ini", ".mount": "ini", ".target": "ini",
		".profile": "bash", ".bash_profile": "bash", ".ash": "bash", "profile": "bash", "os-release": "bash",
		".cc": "c", ".cpp": "c", ".cxx": "c", ".hh": "c", ".hpp": "c", ".hxx": "c",
		".scss": "css", ".less": "css", ".jsx": "javascript", ".map": "json", ".webmanifest": "json", ".lock": "toml",
		".plist": "xml", ".pom": "xml", ".vue": "html", ".jsp": "html",
	}
	interpreters = map[string]string{"node": "javascript", "nodejs": "javascript", "dash": "bash", "ash": "bash", "busybox": "bash", "pypy": "python", "make": "makefile"}
)

// language returns the lexer for a file by its name or, if that says nothing, by its
// first line; nil for none.
func language(name string, head []byte) chroma.Lexer {
	all, base := languages(), path.Base(name)
	if strings.Contains(name, "/nginx/") && !strings.HasSuffix(base, ".json") {
		return all.Get("nginx")
	}
	if l := all.Match(base); l != nil {
		return l
	}
	for _, end := range []string{base, path.Ext(base)} {
		if l, ok := endings[end]; ok {
			return all.Get(l)
		}
	}
	line, _, _ := bytes.Cut(head, []byte("\n"))
	switch words := strings.Fields(strings.TrimPrefix(string(line), "#!")); {
	case bytes.HasPrefix(line, []byte("<?xml")):
		return all.Get("xml")
	case bytes.HasPrefix(bytes.ToLower(line), []byte("<!doctype html")):
		return all.Get("html")
	case !bytes.HasPrefix(line, []byte("#!")) || len(words) == 0:
		return nil
	default:
		by := path.Base(words[0])
		for _, w := range words[1:] {
			if by == "env" && !strings.HasPrefix(w, "-") && !strings.Contains(w, "=") {
				by = path.Base(w)
			}
		}
		by = strings.TrimRight(by, "0123456789.")
		if l, ok := interpreters[by]; ok {
			by = l
		}
		if by == "" || by == "env" {
			return nil
		}
		return all.Get(by)
	}
}
