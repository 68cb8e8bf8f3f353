package connectredis_test

import (
	"encoding/json"
	"fmt"

	"coatcheck/bff/connectredis"
)

func ExampleVerify() {
	secrets := [][]byte{[]byte("this year's"), []byte("keyboard cat")}
	sid, by, err := connectredis.Verify("s%3AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA.RT5Cal5xFtX9GjJLGoiK%2BGzZ%2BcCRnZ5ZbIS8ml7E5Xo", secrets...)
	fmt.Println(sid, by, err)
	// Output: AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA 1 <nil>
}

func ExampleCookieValue() {
	fmt.Println(connectredis.CookieValue("v2000000000000000000000000000000", []byte("k1")))
	// Output: s%3Av2000000000000000000000000000000.Q%2FM4mAxp1kr%2BStbaT6DH%2BtcQ3rGqJE36FGpVidf%2Beag
}

func ExampleDocument() {
	doc, err := connectredis.Parse([]byte(`{"cookie":{"originalMaxAge":null,"expires":null},"big":9007199254740993,"passport":{"user":"alice"}}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	doc.Set("theme", json.RawMessage(`"dark"`))
	fmt.Println(doc.User())
	fmt.Println(string(doc.Bytes()))
	// Output:
	// alice
	// {"cookie":{"originalMaxAge":null,"expires":null},"big":9007199254740993,"passport":{"user":"alice"},"theme":"dark"}
}
