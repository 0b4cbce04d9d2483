package advice

// Rules returns all rules. A rule that knows more about a byte comes before one that
// knows less.
func Rules() []Rule {
	return []Rule{
		secret(),
		archiveAndContent(),
		removedLater(),
		duplicateContent(),
		unstripped(),
	}
}
