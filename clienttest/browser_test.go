package clienttest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// css is a CSS selector; a plain string is an XPath expression here.
type css = chromedp.CSS

// browser is a page in headless Chromium. Its dialogs are accepted.
type browser struct {
	t   *testing.T
	ctx context.Context

	mu       sync.Mutex
	console  []string // what pages logged
	dialogs  []string // the texts of dialogs
	failures []string // uncaught exceptions
}

// newBrowser starts Chromium with an empty profile, until the test ends.
func newBrowser(t *testing.T) *browser {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(tool(t, "chromium")),
		chromedp.UserDataDir(t.TempDir()),
		chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.WindowSize(1280, 900),
		chromedp.ModifyCmdFunc(ownGroup),
	)
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox)
	}
	allocator, endChromium := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(endChromium)
	ctx, endPage := chromedp.NewContext(allocator)
	t.Cleanup(endPage)
	b := &browser{t: t, ctx: ctx}
	require.NoError(t, chromedp.Listen(ctx, b.event), "start Chromium")
	t.Cleanup(func() {
		if t.Failed() {
			b.screenshot(strings.ReplaceAll(t.Name(), "/", "-") + "-failed.png")
			t.Logf("the browser's console: %q, dialogs: %q, exceptions: %q", b.console, b.dialogs, b.failures)
		}
	})
	return b
}

// event notes what the page says. It runs in the loop that reads from the
// browser, so it answers dialogs from another goroutine.
func (b *browser) event(ev any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch ev := ev.(type) {
	case *page.EventJavascriptDialogOpening:
		b.dialogs = append(b.dialogs, ev.Message)
		go chromedp.Call(b.ctx, page.HandleJavaScriptDialog, page.HandleJavaScriptDialogParams{Accept: true}) //nolint:errcheck // the test waits for what follows from it
	case *runtime.EventExceptionThrown:
		failure := ev.ExceptionDetails.Text
		if ev.ExceptionDetails.Exception != nil {
			failure += ": " + ev.ExceptionDetails.Exception.Description
		}
		b.failures = append(b.failures, failure)
	case *runtime.EventConsoleAPICalled:
		var words []string
		for _, arg := range ev.Args {
			words = append(words, string(arg.Value))
		}
		b.console = append(b.console, strings.Join(words, " "))
	}
}

// said is the dialogs so far.
func (b *browser) said() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.dialogs)
}

// do runs actions one after another, within the usual patience.
func (b *browser) do(what string, actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	require.NoError(b.t, chromedp.Do(ctx, actions...), what)
}

// ask runs an action that answers.
func ask[T any](b *browser, what string, action chromedp.Action[T]) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	got, err := chromedp.Run(ctx, action)
	require.NoError(b.t, err, what)
	return got
}

// text is the text shown by the first element sel names, or nothing. Spaces that
// do not break are plain ones here.
func (b *browser) text(sel string) string {
	b.t.Helper()
	got := ask(b, "text of "+sel, chromedp.Evaluate[string](fmt.Sprintf(`(document.querySelector(%q)||{innerText:""}).innerText`, sel)))
	return strings.ReplaceAll(got, "\u00a0", " ")
}

// waitText waits until the element sel names shows want.
func (b *browser) waitText(sel, want string) {
	b.t.Helper()
	eventually(b.t, func() bool { return strings.Contains(b.text(sel), want) }, "%s shows %q", sel, want)
}

// click clicks the element that a CSS selector names, once it is still: a click
// meets what it was aimed at only then.
func (b *browser) click(sel string) {
	b.t.Helper()
	b.do("see "+sel, chromedp.WaitVisible(css(sel)))
	b.waitStill(sel)
	b.do("click "+sel, chromedp.Click(css(sel)))
}

// waitStill waits until the element that a CSS selector names has stopped moving,
// nothing covers it, and the page (one that uses jQuery) has loaded what it wanted
// and moves nothing else.
func (b *browser) waitStill(sel string) {
	b.t.Helper()
	ask(b, sel+" is still", chromedp.Evaluate[bool](fmt.Sprintf(`new Promise((resolve) => {
		let same = 0, last = ""
		const look = () => {
			const e = document.querySelector(%q)
			const r = e ? e.getBoundingClientRect() : {x: 0, y: 0, width: 0, height: 0}
			const top = document.elementFromPoint(r.x + r.width/2, r.y + r.height/2)
			const covered = e && e.contains(top) ? 0 : 1
			const busy = window.jQuery ? jQuery.active + jQuery.timers.length : 0
			const now = (covered + busy + document.getAnimations().length) + " " + r.x + " " + r.y
			same = now === last && now.startsWith("0 ") ? same + 1 : 0
			last = now
			same > 4 ? resolve(true) : setTimeout(look, 10)
		}
		look()
	})`, sel), chromedp.EvalAwaitPromise))
}

// fill types into the element that a CSS selector names.
func (b *browser) fill(sel, text string) {
	b.t.Helper()
	b.click(sel)
	b.do("fill "+sel, chromedp.SendKeys(css(sel), text))
}

// screenshot keeps the whole window as a file among the artifacts.
func (b *browser) screenshot(name string) {
	b.t.Helper()
	dir := os.Getenv("ARTIFACTS")
	if dir == "" {
		dir = "../artifacts"
	}
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	png, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		b.t.Errorf("screenshot: %v", err)
		return
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		b.t.Error(err)
		return
	}
	if err := os.WriteFile(filepath.Join(dir, name), png, 0o644); err != nil {
		b.t.Error(err)
	}
}

// lazy is a text that is made when a message is printed.
type lazy func() string

// String implements fmt.Stringer.
func (f lazy) String() string { return f() }
