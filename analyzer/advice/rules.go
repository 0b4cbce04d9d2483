package advice

// Rules returns all rules. A rule that knows more about a byte comes before one that
// knows less.
func Rules() []Rule {
	return []Rule{
		packageCache(),
		buildContext(),
		secret(),
		archiveAndContent(),
		sparseLog(),
		outdatedBase(),
		removedLater(),
		storedAgain(),
		overwritten(),
		buildTools(),
		devDependencies(),
		duplicateDependency(),
		docs(),
		leftover(),
		duplicateContent(),
		unstripped(),
		rootUser(),
		setuid(),
		worldWritable(),
		sudo(),
		missingHealthcheck(),
		sensitiveVolume(),
		tooManyLayers(),
		emptyStep(),
		installOptions(),
		latestBase(),
		remoteAdd(),
		copyBeforeInstall(),
		noCacheMount(),
	}
}
