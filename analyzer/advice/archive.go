package advice

import (
	"cmp"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"fathom/analyzer"
	"fathom/analyzer/facts"
	"fathom/analyzer/filetree"
	"fathom/analyzer/layer"
)

// The limits for searching the members of all archives of an image.
const (
	maxArchives = 1000 // the largest ones
	maxSame     = 64   // files that may be one member
)

func archiveAndContent() Rule {
	look := archiveLooker()
	return Rule{
		Name:     "archive-and-content",
		Severity: facts.SeverityWarn,
		Means:    "The image stores an archive, and the files that were unpacked from it.",
		Why:      "The content is stored twice. Removing the archive in a later step hides it and makes the image no smaller.",
		Fix:      "Let `ADD` unpack the archive, unpack it from `RUN --mount=type=bind`, or download, unpack and remove it in one step.",
		Not:      "Archives below 1 MiB, and those that are used as they are, known by their ending or their members: Java archives, Python wheels, packages, office documents. At least half of the first members, up to 16, must be in the image with their names and sizes.",
		reads:    true,
		look:     look,
		find:     func(im *image) ([]*finding, error) { return im.unpacked(look), nil },
	}
}

// unpackedTo says where an archive was unpacked.
type unpackedTo struct {
	root  filetree.Node
	strip int // how many directories of the members' names are missing
}

// match is how many members are where unpackedTo says.
type match struct {
	unpackedTo
	files int
	bytes int64
	layer int // the first that stores one of them
}

// unpacked returns a finding for each archive whose content is in the image.
func (im *image) unpacked(look *layer.Looker) []*finding {
	notes := slices.DeleteFunc(slices.Clone(im.notes[look.Name]), func(n analyzer.Note) bool { return im.claimed[n.Content] })
	size := func(n analyzer.Note) int64 { return im.tree.Stored(n.Content).Bytes }
	slices.SortStableFunc(notes, func(a, b analyzer.Note) int { return cmp.Compare(size(b), size(a)) })
	notes = notes[:min(len(notes), maxArchives)]
	listings := make([]listing, len(notes))
	wanted := map[member][]filetree.Content{} // by base name and size: what has both
	sizes := map[int64]bool{}
	for i, n := range notes {
		listings[i] = parseListing(n.Data)
		for _, m := range listings[i].members {
			wanted[member{path.Base(m.name), m.size}] = nil
			sizes[m.size] = true
		}
	}
	for c := filetree.Content(0); len(sizes) > 0 && int(c) < im.tree.Contents(); c++ {
		s := im.tree.Stored(c)
		if !sizes[s.Bytes] {
			continue
		}
		k := member{im.tree.Name(s.Node), s.Bytes}
		if same, ok := wanted[k]; ok && len(same) < maxSame {
			wanted[k] = append(same, c)
		}
	}
	var out []*finding
	for i, n := range notes {
		if m, ok := im.match(n.Content, listings[i].members, wanted); ok {
			out = append(out, im.archiveFinding(n.Content, &listings[i], m))
		}
	}
	return out
}

// match finds where most members of an archive are. It reports false unless these
// are at least half of them, and three or 1 MiB.
func (im *image) match(archive filetree.Content, members []member, wanted map[member][]filetree.Content) (match, bool) {
	stored := im.tree.Stored(archive).Layer
	found := map[unpackedTo]*match{}
	for _, m := range members {
		parts := strings.Split(m.name, "/")
		counted := map[unpackedTo]bool{}
		for _, c := range wanted[member{parts[len(parts)-1], m.size}] {
			s := im.tree.Stored(c)
			if c == archive || s.Layer < stored {
				continue
			}
			to := unpackedTo{im.tree.Parent(s.Node), len(parts) - 1}
			for to.strip > 0 && to.root != filetree.Root && im.tree.Name(to.root) == parts[to.strip-1] {
				to.root = im.tree.Parent(to.root)
				to.strip--
			}
			if counted[to] {
				continue
			}
			counted[to] = true
			f := found[to]
			if f == nil {
				f = &match{unpackedTo: to, layer: s.Layer}
				found[to] = f
			}
			f.files++
			f.bytes += m.size
			f.layer = min(f.layer, s.Layer)
		}
	}
	if len(found) == 0 {
		return match{}, false
	}
	best := *slices.MaxFunc(slices.Collect(maps.Values(found)), func(a, b *match) int {
		return cmp.Or(cmp.Compare(a.files, b.files), cmp.Compare(a.bytes, b.bytes), cmp.Compare(b.strip, a.strip), cmp.Compare(b.root, a.root))
	})
	return best, 2*best.files >= len(members) && (best.files >= 3 || best.bytes >= leastArchive)
}

func (im *image) archiveFinding(c filetree.Content, l *listing, m match) *finding {
	s := im.tree.Stored(c)
	from, to := im.tree.Path(s.Node), im.tree.Path(m.root)
	f := im.newFinding(fmt.Sprintf("%s is stored, and so are the files unpacked from it in %s", from, to), im.archiveFix(s, l.kind, m))
	if m.files < 3 {
		f.Certainty = facts.CertainLikely
	}
	f.claim(s.Node, c, s.Bytes)
	return f
}

var (
	webAddress = regexp.MustCompile(`https?://[^\s'"|;&)]+`)
	simple     = regexp.MustCompile(`^[\w./:@-]+$`) // as it is on a line of a Dockerfile
)

// archiveFix returns how not to store an archive.
func (im *image) archiveFix(s filetree.Stored, kind string, m match) facts.Fix {
	command := facts.Command(im.command(s.Layer))
	at := im.tree.Path(s.Node)
	from, ok := shellWord(at)
	to, ok2 := shellWord(im.tree.Path(m.root))
	plain := ok && ok2 // both fit on a line
	// A flag, and an instruction that is not RUN, take no quotes.
	bare := plainPath.MatchString(at) && plainPath.MatchString(im.tree.Path(m.root))
	unpack := func(archive string) string {
		switch {
		case kind == zipKind:
			return "unzip -q " + archive + " -d " + to
		case m.strip > 0:
			return fmt.Sprintf("tar -xf %s -C %s --strip-components=%d", archive, to, m.strip)
		}
		return "tar -xf " + archive + " -C " + to
	}
	address, ok := shellWord(webAddress.FindString(command))
	if source, ok := copySource(command, at); ok {
		fix := facts.Fix{Text: "unpack it from a bind mount: the line replaces the step that copies it and the step that unpacks it"}
		switch {
		case !plain || source.path == "":
		case bare && source.alone && s.HiddenBy == m.layer && im.doesMore(m.layer):
			fix.Lines = im.mounting(s.Layer, m.layer, fmt.Sprintf("type=bind,%ssource=%s,target=%s", source.stage, source.path, from), at)
		case bare && source.alone && source.stage == "" && m.strip == 0 && kind != zipKind && kind != "--zstd": // older builders don't unpack zstd
			fix.Text = "let ADD unpack it: the line replaces the step that copies it and the step that unpacks it"
			fix.Lines = []string{fmt.Sprintf("ADD %s %s/", source.path, strings.TrimSuffix(to, "/"))}
		default:
			mounted := "/mnt/" + path.Base(source.path)
			fix.Lines = []string{fmt.Sprintf("RUN --mount=type=bind,%ssource=%s,target=%s mkdir -p %s && ", source.stage, source.path, mounted, to) + unpack(mounted)}
		}
		if !source.alone {
			fix.Text = "unpack it from a bind mount, and copy only the other files"
		}
		return fix
	}
	if s.Layer == m.layer && s.HiddenBy < 0 {
		fix := facts.Fix{Text: "remove it at the end of the step that unpacks it"}
		if plain {
			fix.Lines = im.followed(s.Layer, "rm "+from)
		}
		return fix
	}
	fix := facts.Fix{Text: "download and unpack it in one step that does not store it"}
	if plain && ok && address != "" {
		fix.Lines = []string{fmt.Sprintf("RUN mkdir -p %s && curl -fsSL -o /tmp/archive %s && ", to, address) + unpack("/tmp/archive") + " && rm /tmp/archive"}
	}
	return fix
}

// doesMore reports whether the step of layer i does more than unpack files.
func (im *image) doesMore(i int) bool {
	return slices.ContainsFunc(im.step(i).calls, func(c call) bool { return !c.is("tar", "bsdtar", "unzip", "rm", "cd", "mkdir") })
}

// copied is what a COPY or ADD step copies.
type copied struct {
	stage string // "from=STAGE,", or "" if it is not the build context
	path  string // of the archive there; "" if unknown, or not fit for a line
	alone bool   // the step names the archive itself
}

// copySource returns where the file at the path to comes from. It reports false for
// a step that does not copy, or downloads.
func copySource(command, to string) (copied, bool) {
	words := strings.Fields(command)
	if len(words) < 3 || words[0] != "COPY" && words[0] != "ADD" || webAddress.MatchString(command) {
		return copied{}, false
	}
	var c copied
	var stage string
	var sources []string
	for _, w := range words[1:] {
		if from, ok := strings.CutPrefix(w, "--from="); ok {
			stage = from
		} else if !strings.HasPrefix(w, "--") {
			sources = append(sources, strings.Trim(w, `[]",`))
		}
	}
	if len(sources) < 2 {
		return c, true
	}
	target := sources[len(sources)-1]
	sources = sources[:len(sources)-1]
	base := path.Base(to)
	hashed := strings.HasPrefix(sources[0], "file:") || strings.HasPrefix(sources[0], "multi:")
	if at := slices.IndexFunc(sources, func(s string) bool { return path.Base(s) == base }); at >= 0 {
		c.path, c.alone = sources[at], true
	} else if below, ok := strings.CutPrefix(to, strings.TrimSuffix(target, "/")+"/"); ok && len(sources) == 1 && !strings.ContainsAny(sources[0], "*?[:") {
		c.path = path.Join(sources[0], below)
	} else if hashed { // as the classic builder writes the history
		c.path, c.alone = base, true
	}
	if path.IsAbs(c.path) && stage == "" { // BuildKit leaves --from=STAGE out of the history
		c.path = ""
	}
	if !simple.MatchString(c.path) || !simple.MatchString(stage) && stage != "" {
		c.path = ""
	}
	if stage != "" {
		c.stage = "from=" + stage + ","
	}
	return c, true
}
