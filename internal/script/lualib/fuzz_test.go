package lualib

import (
	"testing"

	lua "github.com/yuin/gopher-lua"
)

// fuzzCall gives bytes to a library function and fails when it ends otherwise than by returning or by an error of Lua.
func fuzzCall(f *testing.F, source string, seeds ...string) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	proto, err := Compile(source, "@fuzz")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		l := bare(t, Limits{Bytes: 1 << 20, Steps: 1 << 20})
		err := l.L.CallByParam(lua.P{Fn: l.Function(proto), NRet: 0, Protect: true}, lua.LString(data))
		if e, ok := err.(*lua.ApiError); ok && e.Type == lua.ApiErrorPanic { //nolint:errorlint // CallByParam returns nothing else
			t.Fatalf("%q: %v", data, err)
		}
	})
}

func FuzzJSONDecode(f *testing.F) {
	fuzzCall(f, "local s = ... local v = cjson.decode(s) cjson.encode_invalid_numbers(true) cjson.encode_sparse_array(true) cjson.decode(cjson.encode(v))",
		`{"a":[1,2.5e3,null,true],"b":"\u00e9\ud83d\ude00"}`, `[[[[]]]]`, `-nan`, `"\`, `[1e999,0x1p4]`, "\x00")
}

func FuzzMsgpackUnpack(f *testing.F) {
	fuzzCall(f, "local s = ... local v = {cmsgpack.unpack(s)} cmsgpack.unpack(cmsgpack.pack(unpack(v))) cmsgpack.unpack_one(s, 1) cmsgpack.unpack_limit(s, 3, 1)",
		"\x93\x01\x02\xa1x", "\x81\xa1a\xcb\x00\x00\x00\x00\x00\x00\x00\x00", "\xdd\xff\xff\xff\xff", "\xdf\xff\xff\xff\xff\x01", "\xc6\xff\xff\xff\xff", "\x81\xce\x03\xff\xff\xff\x01")
}

func FuzzStructUnpack(f *testing.F) {
	fuzzCall(f, "local s = ... local n = s:byte() or 0 local fmt, data = s:sub(2, n + 1), s:sub(n + 2) pcall(struct.size, fmt) struct.unpack(fmt, data, n % 5) struct.unpack(fmt, data)",
		"\x05>i4c0s\x00\x00\x00\x02abcd\x00", "\x04!8bd0123456789abcdef", "\x0bc2147483647x", "\x03i32")
}

func FuzzPattern(f *testing.F) {
	fuzzCall(f, "local s = ... local n = s:byte() or 0 local pat, src = s:sub(2, n + 1), s:sub(n + 2) src:find(pat) src:match(pat, 2) src:gsub(pat, '%0%1') for a in src:gmatch(pat) do end",
		"\x06(%w+)=key=value", "\x04%b()((x)", "\x09%f[%a].-%1", "\x03[]]", "\x05(()%1", "\x04[^%]")
}

func FuzzFormat(f *testing.F) {
	fuzzCall(f, "local s = ... string.format(s, 1, 2.5, -3, 1e300, 'x', 0/0) string.format(s, 'a', 'b') tonumber(s) tonumber(s, 36)",
		"%d %5.3f %-10x", "%q%s%c", "%#+ -0g", "%99.99e", "0x1p-4", "%")
}

func FuzzCompile(f *testing.F) {
	f.Add("local a = 1 .. 'x' return function(...) for i = 1, 010 do a = a .. i end end")
	f.Add("return {} .. x.y:z(...) .. -1e5")
	f.Fuzz(func(t *testing.T, source string) {
		if proto, err := Compile(source, "@fuzz"); err == nil {
			bare(t, Limits{}).Function(proto)
		}
	})
}
