package importer

// WalkMargin is walkMargin.
const WalkMargin = walkMargin
