package engine

import (
	"fmt"

	"coatcheck/engine/internal/dict"
	"coatcheck/engine/internal/slab"
)

// CheckInvariants looks at everything the engine keeps and says what does not
// fit together, nil if nothing. It takes long: tests call it at their end.
func (h Held) CheckInvariants() error {
	e := h.eng
	if e.closed {
		return nil
	}
	for n, d := range e.dbs {
		if err := d.check(); err != nil {
			return fmt.Errorf("db %d: %w", n, err)
		}
		if first, ok := d.due.First(); ok && !e.expirer.off {
			if wake := min(e.expirer.next, e.expirer.armed); wake > UnixMilli(first.At) {
				return fmt.Errorf("db %d: a key is due at %d, the timer wakes at %d", n, first.At, wake)
			}
		}
		if first, ok := d.fields.First(); ok && !e.expirer.off {
			if wake := min(e.expirer.next, e.expirer.armed); wake > UnixMilli(first.At) {
				return fmt.Errorf("db %d: a field is due at %d, the timer wakes at %d", n, first.At, wake)
			}
		}
	}
	return nil
}

func (d *db) check() error {
	if err := d.slab.Check(); err != nil {
		return fmt.Errorf("slab: %w", err)
	}
	if err := d.dict.Check(); err != nil {
		return fmt.Errorf("dict: %w", err)
	}
	if err := d.due.Check(); err != nil {
		return fmt.Errorf("expire index: %w", err)
	}
	if err := d.checkFields(); err != nil {
		return err
	}
	size, volatile, err := d.checkEntries()
	if err != nil {
		return err
	}
	for _, o := range d.objects.graves {
		_, blocks := o.memory()
		size += blocks
	}
	if want := size + d.dict.SlabBytes() + d.due.SlabBytes() + d.fields.SlabBytes(); want != d.slab.Allocated() {
		return fmt.Errorf("slab holds %d bytes, entries, slots and items %d", d.slab.Allocated(), want)
	}
	return d.checkDeadlines(volatile)
}

// checkEntries looks at every entry, and returns what their blocks take and
// which are volatile.
func (d *db) checkEntries() (size int64, volatile map[slab.Ref]bool, err error) {
	keys := make(map[string]bool, d.dict.Len())
	volatile = map[slab.Ref]bool{}
	objects, heap := 0, int64(0)
	for pos := uint32(0); pos < dict.End; {
		slots, next := d.dict.From(pos)
		for _, s := range slots {
			ent := d.entry(s.Ref())
			sh := shapeOf(ent.keyLen(), ent.valLen(), ent.at())
			key := string(ent.key())
			block := d.slab.Size(s.Ref())
			size += int64(block)
			if r := ent.apart(); r != 0 {
				size += int64(d.slab.Size(r))
			}
			switch {
			case dict.TagOf(d.hash(ent.key())) != s.Tag():
				return 0, nil, fmt.Errorf("key %q is in the wrong place", key)
			case keys[key]:
				return 0, nil, fmt.Errorf("key %q is there twice", key)
			case ent.flags() != sh.flags || sh.size() > block:
				return 0, nil, fmt.Errorf("key %q: shape %+v, flags %x, %d bytes", key, sh, ent.flags(), block)
			case ent.typ() == None || ent.typ() > TStream:
				return 0, nil, fmt.Errorf("key %q has type %d", key, ent.typ())
			}
			if p := d.placeOf(s); p.object() != nil {
				n, blocks := p.object().memory()
				heap += n
				size += blocks
				objects++
				if err := p.object().check(d); err != nil {
					return 0, nil, fmt.Errorf("key %q: %w", key, err)
				}
				if p.object().elements() == 0 && ent.typ() != TStream {
					return 0, nil, fmt.Errorf("key %q: empty", key)
				}
			}
			keys[key] = true
			if ent.volatile() {
				volatile[s.Ref()] = true
			}
		}
		pos = next
	}
	if have := max(len(d.objects.slots)-1, 0) - len(d.objects.free); objects != have || heap != d.objects.heap {
		return 0, nil, fmt.Errorf("%d objects of %d bytes, counted %d of %d", objects, heap, have, d.objects.heap)
	}
	return size, volatile, nil
}

// checkDeadlines matches the expire index with the volatile entries.
func (d *db) checkDeadlines(volatile map[slab.Ref]bool) error {
	for item := range d.due.All {
		p, ok := d.owner(item)
		if !ok {
			return fmt.Errorf("expire index has %+v of no key", item)
		}
		if !volatile[p.ref] {
			return fmt.Errorf("expire index has key %q twice", p.key)
		}
		if p.ent.at() < UnixMilli(item.At) {
			return fmt.Errorf("key %q expires at %d, its index item is at %d", p.key, p.ent.at(), item.At)
		}
		delete(volatile, p.ref)
	}
	if len(volatile) > 0 {
		return fmt.Errorf("%d volatile keys are not in the expire index", len(volatile))
	}
	return nil
}
