// Package difftest sends the same random commands to ours and to a real
// redis-server and compares the replies byte for byte. It knows commands only
// by the command table, whose syntax lines tell what arguments they take: a new
// command is tried as soon as it is in the table. What may differ, and why, is
// listed in allowed_test.go.
package difftest
