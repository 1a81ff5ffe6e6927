// Package migrate changes a tree for many jobs at once. It finds where each
// job's value comes from and edits there, once, when all the jobs that inherit
// it are to change; otherwise it puts the smallest override that reaches just
// those. Then it resolves the tree with the edits in memory, and lets them stand
// only if every chosen job came out as intended and every other one as it was.
//
// Read Run first. A Step (step.go, jvmstep.go) says what it wants of each job;
// locate.go finds where that is to be edited, override.go and when.go write what
// must be an override, edit.go changes the files, verify.go has the last word.
package migrate
