package report

import (
	"bufio"
	"encoding/xml"
	"io"
	"strconv"
	"strings"
	"time"
)

type junitSuites struct {
	XMLName xml.Name   `xml:"testsuites"`
	Suite   junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name       string          `xml:"name,attr"`
	Package    string          `xml:"package,attr"`
	ID         int             `xml:"id,attr"`
	Timestamp  string          `xml:"timestamp,attr"`
	Hostname   string          `xml:"hostname,attr"`
	Tests      int             `xml:"tests,attr"`
	Failures   int             `xml:"failures,attr"`
	Errors     int             `xml:"errors,attr"`
	Time       string          `xml:"time,attr"`
	Properties []junitProperty `xml:"properties>property"`
	Cases      []junitCase     `xml:"testcase"`
	Out        string          `xml:"system-out"`
	Err        string          `xml:"system-err"`
}

type junitProperty struct {
	Name  string `xml:"name,attr"`
	Value string `xml:"value,attr"`
}

type junitCase struct {
	Name    string        `xml:"name,attr"`
	Class   string        `xml:"classname,attr"`
	Time    string        `xml:"time,attr"`
	Failure *junitFailure `xml:"failure"`
	Error   *junitFailure `xml:"error"`   // the rule can't be evaluated
	Skipped *junitSkipped `xml:"skipped"` // there is no baseline yet
}

type junitSkipped struct {
	Message string `xml:"message,attr"`
}

type junitFailure struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr"`
	Text    string `xml:",chardata"`
}

// maxJUnitText is the limit for the size of a text. Libxml2, which many readers use,
// rejects files with a text of more than 10,000,000 bytes.
const maxJUnitText = 9_000_000

// JUnit writes a test for each rule, in the format of Ant's JUnit task, which Jenkins,
// GitLab and others read. A broken rule that only warns is a test that passes, and is
// listed in the output of the suite. The time is that of the image, so that the same
// input results in the same bytes.
func JUnit(w io.Writer, in *Input) error {
	r, v := in.Report, in.Verdict
	made := time.Unix(0, 0)
	if r.Image.Created != nil && r.Image.Created.Year() >= 1000 { // the schema doesn't accept earlier years
		made = *r.Image.Created
	}
	n := func(v int64) string { return strconv.FormatInt(v, 10) }
	t := r.Totals
	s := junitSuite{
		Name: "fathom: " + in.title(), Package: "fathom", Timestamp: made.UTC().Format("2006-01-02T15:04:05"), Hostname: "localhost", Time: "0",
		Properties: []junitProperty{
			{"image", Safe(r.Image.Reference)}, {"storedBytes", n(t.StoredBytes)}, {"visibleBytes", n(t.VisibleBytes)},
			{"wastedBytes", n(t.WastedBytes)}, {"efficiency", strconv.FormatFloat(t.Efficiency, 'g', -1, 64)},
			{"compressedBytes", n(t.CompressedBytes)}, {"files", n(int64(t.Files))}, {"layers", n(int64(t.Layers))},
		},
	}
	if b := r.Base; b != nil && t.Own != nil {
		s.Properties = append(s.Properties, junitProperty{"base", BaseName(b)}, junitProperty{"ownStoredBytes", n(t.Own.StoredBytes)}, junitProperty{"ownWastedBytes", n(t.Own.WastedBytes)})
	}
	var out []string
	if v != nil {
		s.Tests, s.Failures, s.Errors = len(v.Rules), v.Failed(), v.Errors()
		room := maxJUnitText
		for _, rule := range rulesOf(v) {
			c := junitCase{Name: rule.Name, Class: "fathom." + Safe(in.name()) + "." + rule.Name, Time: "0"}
			text := ""
			if rule.Same != "" {
				text = rule.line() + "\nfor the same reasons as " + rule.Same
			} else if !rule.OK {
				text = ruleText(&rule, rule.All(), room)
			}
			if rule.Skipped {
				c.Skipped = &junitSkipped{rule.line()}
			}
			switch failure := (&junitFailure{rule.line(), "fathom." + rule.Name, text}); rule.Result {
			case "error":
				c.Error = failure
			case "fail":
				c.Failure = failure
			case "warn":
				out = append(out, "warning: "+text) // all of them are one text
				room -= len(text)
			}
			s.Cases = append(s.Cases, c)
		}
		for _, text := range v.Warnings {
			out = append(out, "warning: "+Safe(text))
		}
		out = append(out, junitFindings(in, room)...)
		out = append(out, VerdictLine(v))
	}
	s.Out = strings.Join(out, "\n")
	return buffered(w, func(b *bufio.Writer) error {
		b.WriteString(xml.Header)
		e := xml.NewEncoder(b)
		e.Indent("", "  ")
		if err := e.Encode(junitSuites{Suite: s}); err != nil {
			return err
		}
		return b.WriteByte('\n')
	})
}

// junitFindings returns the findings, each in several lines: as many as fit into most
// bytes, and the number of the others.
func junitFindings(in *Input, most int) []string {
	var out []string
	all := in.shownFindings()
	for i := range all {
		var b strings.Builder
		b.WriteString("finding:\n")
		writeAdvice(&b, in.Report, &all[i], true)
		if most -= b.Len(); most < 0 {
			return append(out, "and "+count(len(all)-i, "more finding")+": --json lists all")
		}
		out = append(out, strings.TrimSuffix(b.String(), "\n"))
	}
	return out
}
