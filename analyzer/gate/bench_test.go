package gate

import (
	"fmt"
	"testing"

	"fathom/analyzer/facts"
)

// BenchmarkExplain explains why 120,000 wasted files break three rules, with the
// offenders that people see and with all of them.
func BenchmarkExplain(b *testing.B) {
	r := &facts.Report{Layers: []facts.Layer{{}, {Index: 1}}}
	for i := range 120_000 {
		r.Waste = append(r.Waste, facts.Waste{
			Path: fmt.Sprintf("/srv/package-%d/dist/lib/index-%d.js", i/100, i), Bytes: 4096, Cause: "removed", HiddenBy: 1,
		})
		r.Totals.StoredBytes += 4096
		r.Totals.WastedBytes += 4096
	}
	for name, list := range map[string]func(*Rule){
		"first": func(rule *Rule) { rule.First(MaxOffenders) },
		"all": func(rule *Rule) {
			for range rule.All() {
			}
		},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				v, err := Check(r, Limits{{Rule: MinEfficiency, Ratio: 1}, {Rule: MaxWastedBytes, Unit: Bytes}, {Rule: MaxWastedPercent, Unit: Percent}}, Options{})
				if err != nil {
					b.Fatal(err)
				}
				for i := range v.Rules {
					list(&v.Rules[i])
				}
			}
		})
	}
}
