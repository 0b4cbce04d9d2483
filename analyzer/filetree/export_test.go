package filetree

// Steps returns how many steps the builder has taken to resolve paths and links,
// and the limit for them.
func (b *Builder) Steps() (taken, granted int) { return b.steps, b.granted }
