package server

import (
	"strings"

	"coatcheck/engine/errs"
	"coatcheck/internal/command"
	"coatcheck/resp"
)

// protocolValues are the replies of DEBUG PROTOCOL, in the order of its help.
var protocolValues = []struct {
	name  string
	write func(out *resp.Reply) error
}{
	{"string", func(out *resp.Reply) error { out.BulkText("Hello World"); return nil }},
	{"integer", func(out *resp.Reply) error { out.Int(12345); return nil }},
	{"double", func(out *resp.Reply) error { out.Double(3.141); return nil }},
	{"bignum", func(out *resp.Reply) error { out.BigNumber("1234567999999999999999999999999999999"); return nil }},
	{"null", func(out *resp.Reply) error { out.Null(); return nil }},
	{"array", func(out *resp.Reply) error { out.Array(3); return numbers(out) }},
	{"set", func(out *resp.Reply) error { out.Set(3); return numbers(out) }},
	{"map", writeTestMap},
	{"attrib", writeTestAttribute},
	{"push", writeTestPush},
	{"verbatim", func(out *resp.Reply) error { out.Verbatim("txt", "This is a verbatim\nstring"); return nil }},
	{"true", func(out *resp.Reply) error { out.Bool(true); return nil }},
	{"false", func(out *resp.Reply) error { out.Bool(false); return nil }},
}

func protocolNames() []string {
	var names []string
	for _, v := range protocolValues {
		names = append(names, v.name)
	}
	return names
}

func debugProtocol(_ *Client, args command.Args, out *resp.Reply) error {
	for _, v := range protocolValues {
		if equalFold(args[0], v.name) {
			return v.write(out)
		}
	}
	return &errs.Error{Code: "ERR", Text: "Wrong protocol type name. Please use one of the following: " + strings.Join(protocolNames(), "|")}
}

func numbers(out *resp.Reply) error {
	for n := range int64(3) {
		out.Int(n)
	}
	return nil
}

func writeTestMap(out *resp.Reply) error {
	out.Map(3)
	for n := range int64(3) {
		out.Int(n)
		out.Bool(n == 1)
	}
	return nil
}

// An attribute is left out on RESP2, and what it is about remains.
func writeTestAttribute(out *resp.Reply) error {
	if out.Proto >= 3 {
		out.Append([]byte("|1\r\n"))
		out.BulkText("key-popularity")
		out.Array(2)
		out.BulkText("key:123")
		out.Int(90)
	}
	out.BulkText("Some real reply following the attribute")
	return nil
}

func writeTestPush(out *resp.Reply) error {
	if out.Proto < 3 {
		return &errs.Error{Code: "ERR", Text: "RESP2 is not supported by this command"}
	}
	out.Push(2)
	out.BulkText("server-cpu-usage")
	out.Int(42)
	out.BulkText("Some real reply following the push reply")
	return nil
}
