package ui

import (
	"cmp"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/dustin/go-humanize"

	"fathom/analyzer/gate"
	"fathom/ui/report"
)

// front returns the pane that menus about the list are for: the one that has the keys or,
// from the details, the one that these are about.
func (u *ui) front() pane {
	if u.focus == detailPane {
		return u.pane(u.subject)
	}
	return u.pane(u.focus)
}

// openCopy opens the menu of what can be copied here.
func (u *ui) openCopy() {
	m := &menu{name: "Copy", closes: keyOf(u.keys, "copy-more")}
	add := func(key, name, text string) {
		if text == "" {
			return
		}
		note := safe(strings.TrimPrefix(text, ruleHead))
		note, _, _ = strings.Cut(note, `\n`)
		if head, rest := cutText(note, 40); rest {
			note = head + u.th.Glyph.Ellipsis
		}
		m.choices = append(m.choices, choice{key: key, name: name, note: note, do: func() { u.copyText(text) }})
	}
	p := u.front()
	what := "what is under the cursor"
	switch p.(type) {
	case *files, *waste, *folders:
		what = "the path"
	case *packageList, *packageChanges:
		what = "the package"
	case *findings:
		what = "the fix, or the path"
	case *layers, *aligned:
		what = "the step"
	}
	add("p", what, p.copies())
	digest, step := "", ""
	if l, ok := u.first.(*aligned); ok {
		digest, step = l.digest(), l.copies()
	} else if s, ok := u.layers.current(); ok && s.layer >= 0 {
		l := &u.rep.Layers[s.layer]
		digest, step = cmp.Or(l.Digest, l.DiffID), layerCommand(u.rep, s.layer)
	}
	if p != pane(u.first) {
		add("s", "the step of the layer", step)
	}
	add("d", "the layer's digest", digest)
	add("i", "the image's digest", cmp.Or(u.rep.Image.Digest, u.rep.Image.ID))
	add("c", "the command for this view", u.command(p))
	add("h", "the command for the path's history", u.historyCommand(p))
	if r, ok := u.rule(p); ok {
		add("r", "a rule for "+configFile, r.yaml())
		add("f", "the rule as a flag", r.flag())
	}
	u.push(m)
}

const configFile = ".fathom.yaml"

// cutText returns at most n characters of a text, and reports whether there are more.
func cutText(s string, n int) (string, bool) {
	if utf8.RuneCountInString(s) <= n {
		return s, false
	}
	return string([]rune(s)[:n]), true
}

// command returns the command that prints what a pane shows; "" if there is none.
func (u *ui) command(p pane) string {
	var args []string
	sub, two := "", u.two != nil
	switch p := p.(type) {
	case *files:
		from, to := u.sel.span()
		switch last := p.tree.Layers() - 1; {
		case two:
			sub, args = "compare", []string{"--files"}
		case u.sel.compares(), u.sel.whole && to != last:
			return "" // no command prints it
		case !u.sel.whole:
			sub, args = "ls", []string{"--layer", itoa(from + 1)}
		default:
			sub = "ls"
		}
	case *findings:
		sub = "advise"
	case *packageList:
		sub = "packages"
		if p.kind != "" {
			args = append(args, "--type", p.kind)
		}
		by := map[packageOrder]string{packagesByWaste: report.SortWaste, packagesByName: report.SortName}[p.by]
		if by != "" && !p.rev {
			args = append(args, "--sort", by)
		}
	default:
		args = []string{"--report", "text"}
	}
	if _, ok := p.(*files); two && !ok {
		sub, args = "compare", []string{"--details"}
	}
	return u.shell(sub, args)
}

// historyCommand returns the command that prints the history of the path under the cursor.
func (u *ui) historyCommand(p pane) string {
	t, ok := p.target()
	if !ok || u.img == nil || u.two != nil {
		return ""
	}
	return u.shell("log", nil, u.img.Tree.Path(t.node))
}

// shell returns a command of fathom for what is open; "" if the command line can't name
// that again.
func (u *ui) shell(sub string, args []string, paths ...string) string {
	if u.words == nil {
		return ""
	}
	all := []string{"fathom"}
	if sub != "" {
		all = append(all, sub)
	}
	all = append(append(append(all, args...), u.words...), paths...)
	for i, a := range all {
		q, ok := quote(a)
		if !ok {
			return ""
		}
		all[i] = q
	}
	return strings.Join(all, " ")
}

// quote returns a word of a command line for a POSIX shell, without characters that a
// terminal would act on. It returns false if it can't.
func quote(s string) (string, bool) {
	plain := s != ""
	for _, r := range s {
		plain = plain && r < utf8.RuneSelf && (r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || strings.ContainsRune("_./:@%+=,-", r))
	}
	switch {
	case plain:
		return s, true
	case visible(s):
		return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'", true
	case strings.HasSuffix(s, "\n"), strings.Contains(s, "\x00"):
		return "", false // $() drops it
	}
	var b strings.Builder
	b.WriteString(`"$(printf '`)
	for i := range len(s) {
		switch c := s[i]; {
		case c < ' ' || c >= 0x7f || c == '\'' || c == '\\' || c == '%':
			fmt.Fprintf(&b, `\%03o`, c)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteString(`')"`)
	return b.String(), true
}

// visible reports whether a text has no character that must be escaped on a screen.
func visible(s string) bool {
	s = strings.ReplaceAll(s, `\`, "") // safe escapes it where it could be taken for an escape
	return safe(s) == s
}

// gateRule is a rule of the gate that what is under the cursor breaks.
type gateRule struct {
	name  string
	value string
	list  bool // a list of values in the config file
}

// ruleHead is what a config file with one rule begins with.
const ruleHead = "version: 1\nci:\n  "

// yaml returns the rule as a config file.
func (r gateRule) yaml() string {
	value, err := report.Line(r.value)
	if err != nil {
		return ""
	}
	text := string(value)
	if r.list {
		text = "[" + text + "]"
	}
	return ruleHead + r.name + ": " + text + "\n"
}

// flag returns the rule as a flag.
func (r gateRule) flag() string {
	q, ok := quote("--" + r.name + "=" + r.value)
	if !ok {
		return ""
	}
	return q
}

// rule returns a rule that fails as long as what is under the cursor is there.
func (u *ui) rule(p pane) (gateRule, bool) {
	switch p := p.(type) {
	case *files:
		t, ok := p.target()
		if !ok {
			break
		}
		glob, ok := literal(p.tree.Path(t.node))
		rule := gate.DenyPath
		if _, shown := p.tree.At(t.node, p.tree.Layers()-1); !shown {
			rule = gate.DenyLayerPath
			ok = ok && u.two == nil
		}
		return gateRule{rule, glob, true}, ok
	case *layers:
		s, ok := p.current()
		if !ok || s.layer < 0 {
			break
		}
		return lessThan(gate.MaxLayerSize, p.rep.Layers[s.layer].StoredBytes)
	case *waste:
		it, ok := p.current()
		if rest := u.rep.Totals.WastedBytes - it.bytes; ok && it.bytes > 0 {
			return gateRule{gate.MaxWastedBytes, itoa(int(rest)), false}, true
		}
	case *findings:
		if r, ok := p.current(); ok {
			return gateRule{gate.FailOnFinding, p.all[r.finding].Rule, true}, true
		}
	case *packageList:
		r, ok := p.current()
		if !ok || r.index < 0 {
			break
		}
		x := &p.all[r.index]
		if x.RemovedBy >= 0 { // it is not installed, but ships
			return lessThan(gate.MaxPackageSize, x.VisibleBytes+x.WastedBytes)
		}
		glob, ok := literal(packageName(x))
		return gateRule{gate.DenyPackage, glob, true}, ok
	case *packageChanges:
		if x := p.current(); x != nil && x.New != nil {
			glob, ok := literal(x.Type + ":" + x.Name)
			return gateRule{gate.DenyPackage, glob, true}, ok
		}
	}
	return gateRule{}, false
}

// lessThan returns a rule with the largest size of two digits below n.
func lessThan(rule string, n int64) (gateRule, bool) {
	if n == 0 {
		return gateRule{}, false
	}
	unit := int64(1)
	for n/unit >= 100 {
		unit *= 10
	}
	limit := (n - 1) / unit * unit
	text := strings.ReplaceAll(humanize.Bytes(uint64(limit)), " ", "")
	if back, err := gate.ParseBytes(text); err != nil || back != limit {
		text = itoa(int(limit))
	}
	return gateRule{rule, text, false}, true
}

// literal returns a glob that matches a text only; false if there is none.
func literal(s string) (string, bool) {
	var b strings.Builder
	for _, r := range s {
		switch {
		case strings.ContainsRune(`*?[]{}\`, r):
			b.WriteString(`\` + string(r))
		case strings.ContainsRune(` ,'"~$!`, r):
			b.WriteString("[" + string(r) + "]")
		default:
			b.WriteRune(r)
		}
	}
	glob := b.String()
	return glob, visible(s) && gate.CheckGlob(glob) == nil
}
