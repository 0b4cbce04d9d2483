package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"fathom/analyzer/load/cache"
	"fathom/ui/report"
)

const cacheLong = `Show the cache: the folder where fathom keeps the file lists of layers from
registries, so that a layer is downloaded and measured only once. It holds names,
sizes, times and checksums of files, never their content.

The folder is fathom/layers in the user's cache folder, or the one that
FATHOM_CACHE_DIR names. When it is full, the least recently used layers are removed
first.`

func newCache(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "cache",
		Short: "Show or clear the cache of layers from registries",
		Long:  cacheLong,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknown(fmt.Errorf("fathom cache has no command %q", args[0]), args[0], []string{"clear"})
			}
			return a.showCache()
		},
	}
	cmd.AddCommand(&cobra.Command{
		Use:   "clear",
		Short: "Remove every layer from the cache",
		Long:  "Remove every layer from the cache. Files in its folder that fathom did not write\nare kept.",
		Args:  noArgs,
		RunE:  func(*cobra.Command, []string) error { return a.clearCache() },
	})
	return cmd
}

func (a *app) showCache() error {
	c, err := cache.Open("", 0)
	if err != nil {
		return err
	}
	files, err := c.List()
	if err != nil {
		return err
	}
	size := int64(0)
	for _, f := range files {
		size += f.Size
	}
	if _, err := fmt.Fprintf(a.stdout, "folder:  %s\nlayers:  %d\nsize:    %s of at most %s\n",
		line(c.Dir()), len(files), report.Size(size), report.Size(cache.Limit)); err != nil || len(files) == 0 {
		return err
	}
	day := func(t time.Time) string { return t.Format("2006-01-02 15:04") }
	_, err = fmt.Fprintf(a.stdout, "used:    %s the oldest, %s the newest\n", day(files[0].Used), day(files[len(files)-1].Used))
	return err
}

func (a *app) clearCache() error {
	c, err := cache.Open("", 0)
	if err != nil {
		return err
	}
	n, bytes, err := c.Clear()
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(a.stdout, "removed %s, %s\n", count(n, "layer"), report.Size(bytes))
	return err
}
