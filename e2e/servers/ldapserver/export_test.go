package ldapserver

// Find is find, for the test of what it says.
var Find = find
