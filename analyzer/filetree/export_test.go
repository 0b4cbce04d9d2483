package filetree

// Steps is how many steps the builder took along paths and links, and how many
// it was granted.
func (b *Builder) Steps() (taken, granted int) { return b.steps, b.granted }
