package bff

import (
	"net/netip"
	"strings"
)

// What lists say of a device, from its User-Agent: enough for its owner to know
// it again, and no more.

// agents are browsers by a mark in their User-Agent, those that also bear other's
// marks first.
var agents = []struct{ mark, name string }{
	{"EdgiOS/", "Edge"}, {"EdgA/", "Edge"}, {"Edg/", "Edge"},
	{"OPR/", "Opera"}, {"SamsungBrowser/", "Samsung Internet"}, {"Vivaldi/", "Vivaldi"}, {"YaBrowser/", "Yandex"},
	{"FxiOS/", "Firefox"}, {"Firefox/", "Firefox"},
	{"CriOS/", "Chrome"}, {"HeadlessChrome/", "Chrome"}, {"Chrome/", "Chrome"}, {"Chromium/", "Chrome"},
	{"Safari/", "Safari"},
	{"curl/", "curl"}, {"Go-http-client/", "Go"}, {"okhttp/", "okhttp"}, {"python-requests/", "Python"}, {"node", "Node.js"},
}

// systems are operating systems by a mark, in the order in which they are asked.
var systems = []struct{ mark, name string }{
	{"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Android", "Android"}, {"CrOS", "ChromeOS"},
	{"Windows", "Windows"}, {"Macintosh", "macOS"}, {"Mac OS X", "macOS"}, {"Linux", "Linux"}, {"X11", "Unix"},
}

// agentFamily is the browser's name, "Firefox"; "" for one that is not known.
func agentFamily(userAgent string) string {
	for _, a := range agents {
		if strings.Contains(userAgent, a.mark) {
			return a.name
		}
	}
	return ""
}

// agentLabel is "Firefox on Linux".
func agentLabel(userAgent string) string {
	family := agentFamily(userAgent)
	for _, s := range systems {
		if !strings.Contains(userAgent, s.mark) {
			continue
		}
		if family == "" {
			return s.name
		}
		return family + " on " + s.name
	}
	return family
}

// coarse is the network of an address, "192.0.2.0/24" or "2001:db8:1::/48": about a
// provider's region. "" for no address.
func coarse(addr netip.Addr) string {
	bits := 48
	if addr.Is4() {
		bits = 24
	}
	p, err := addr.WithZone("").Prefix(bits)
	if err != nil {
		return ""
	}
	return p.String()
}
