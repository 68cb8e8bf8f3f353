package engine

// Hashes: deadlines of fields.

// MaxFieldDue is the latest deadline that a field can have, as in Redis, which
// keeps it in 46 bits.
const MaxFieldDue UnixMilli = 1<<46 - 1

// FieldOutcome is what became of one field, in the words of HEXPIRE's replies.
type FieldOutcome int64

// The outcomes.
const (
	FieldMissing   FieldOutcome = -2 // there is no such field
	FieldNoDue     FieldOutcome = -1 // it has no deadline
	FieldUnchanged FieldOutcome = 0  // the condition does not hold
	FieldDone      FieldOutcome = 1
	FieldDeleted   FieldOutcome = 2 // the deadline has come already
)

// HashIs fails with errs.WrongType when key holds another type than a hash. It
// neither counts nor touches.
func (tx *Tx) HashIs(key []byte) error {
	p := tx.peek(key)
	_, err := hashAt(&p)
	return err
}

// hashSetDue changes the deadline of a field of the hash at p. The index of
// hashes does not hear of it.
func (tx *Tx) hashSetDue(p *place, field []byte, f *hashField, due UnixMilli) {
	if o := p.object(); o != nil {
		h := o.(*hash)
		h.setDue(p.db, f, due)
		if h.due != nil {
			p.ent.setKind(THash, EncHashtableEx)
		}
		return
	}
	if p.enc() != EncListpackEx {
		tx.packedEx(p)
		*f, _ = tx.hashFind(p, field)
	}
	tx.packedSetDue(p, f, due)
}

// HashExpire sets the deadline of fields of the hash at key, at most MaxFieldDue,
// and tells of each in turn what became of it. A deadline that has come already
// deletes the field.
//
// It fails with errs.WrongType, before anything is told, when key holds another
// type. Effects: "hexpire", or "hdel", and "del" when no field is left. O(1) a
// field.
func (tx *Tx) HashExpire(key []byte, at UnixMilli, cond ExpireCond, fields [][]byte, told func(FieldOutcome)) error {
	p := tx.write(key)
	ok, err := hashAt(&p)
	if err != nil {
		return err
	}
	before := p.fieldsDue()
	var done [][]byte
	for _, field := range fields {
		if !ok || hashIsEmpty(&p) {
			told(FieldMissing)
			continue
		}
		res := FieldMissing
		if f, has := tx.hashFind(&p, field); has {
			res = FieldUnchanged
			if cond.holds(f.due, at) {
				res = tx.hashExpireField(&p, field, &f, at)
				done = append(done, field)
			}
		}
		told(res)
	}
	if len(done) > 0 {
		tx.hashExpired(&p, before, at, done)
	}
	return nil
}

// hashExpireField gives a field a deadline, or deletes it when that has come.
func (tx *Tx) hashExpireField(p *place, field []byte, f *hashField, at UnixMilli) FieldOutcome {
	if at <= tx.past {
		tx.hashRemove(p, f)
		return FieldDeleted
	}
	tx.hashSetDue(p, field, f, at)
	return FieldDone
}

// hashExpired tells of fields of the hash at p that have got a deadline or were
// deleted by it.
func (tx *Tx) hashExpired(p *place, before, at UnixMilli, done [][]byte) {
	tx.hashShrunk(p, before)
	if at <= tx.past {
		tx.changedHash(p, "hdel", len(done), "HDEL", done...)
		tx.hashGone(p)
		return
	}
	tx.changedHash(p, "hexpire", len(done), "HPEXPIREAT", tx.withFields(done, decimal(int64(at)))...)
}

// withFields are words of a command, and FIELDS, the number of fields and the
// fields behind them; nothing when no sink wants commands.
func (tx *Tx) withFields(fields [][]byte, words ...[]byte) [][]byte {
	if !tx.wantsArgv() {
		return nil
	}
	words = append(words, []byte("FIELDS"), decimal(int64(len(fields))))
	return append(words, fields...)
}

// HashPersist drops the deadlines of fields of the hash at key and tells of each
// in turn what became of it.
//
// It fails with errs.WrongType, before anything is told, when key holds another
// type. Effect: "hpersist". O(1) a field.
func (tx *Tx) HashPersist(key []byte, fields [][]byte, told func(FieldOutcome)) error {
	p := tx.write(key)
	ok, err := hashAt(&p)
	if err != nil {
		return err
	}
	before := p.fieldsDue()
	var done [][]byte
	for _, field := range fields {
		res := FieldMissing
		if ok {
			if f, has := tx.hashFind(&p, field); has {
				if res = FieldNoDue; f.due != Never {
					res = FieldDone
					tx.hashSetDue(&p, field, &f, Never)
					done = append(done, field)
				}
			}
		}
		told(res)
	}
	tx.hashPersisted(&p, before, done)
	return nil
}

func (tx *Tx) hashPersisted(p *place, before UnixMilli, done [][]byte) {
	if len(done) == 0 {
		return
	}
	tx.hashSettled(p, before)
	tx.changedHash(p, "hpersist", len(done), "HPERSIST", tx.withFields(done)...)
}

// HashDue tells of fields of the hash at key in turn when they stop existing,
// Never without a deadline; not ok where there is no field.
//
// It fails with errs.WrongType, before anything is told, when key holds another
// type. O(1) a field.
func (tx *Tx) HashDue(key []byte, fields [][]byte, told func(due UnixMilli, ok bool)) error {
	p := tx.read(key)
	ok, err := hashAt(&p)
	if err != nil {
		return err
	}
	for _, field := range fields {
		if !ok {
			told(Never, false)
			continue
		}
		f, has := tx.hashFind(&p, field)
		told(f.due, has)
	}
	return nil
}

// HashGetDelete calls visit with the value of each field of the hash at key in
// turn, and removes them.
//
// It fails with errs.WrongType, before any call, when key holds another type.
// Effects: "hdel", and "del" when no field is left. O(1) a field.
func (tx *Tx) HashGetDelete(key []byte, fields [][]byte, visit func(val []byte, ok bool)) error {
	p := tx.write(key)
	ok, err := hashAt(&p)
	if err != nil {
		return err
	}
	before, n := p.fieldsDue(), 0
	for _, field := range fields {
		if ok && !hashIsEmpty(&p) {
			if f, has := tx.hashFind(&p, field); has {
				visit(tx.hashValue(&p, &f), true)
				tx.hashRemove(&p, &f)
				n++
				continue
			}
		}
		visit(nil, false)
	}
	if n > 0 {
		tx.hashShrunk(&p, before)
		tx.changedHash(&p, "hdel", n, "HDEL", fields...)
		tx.hashGone(&p)
	}
	return nil
}

// HashGetExpire calls visit with the value of each field of the hash at key in
// turn, and changes their deadlines. One that has come already deletes them.
//
// It fails with errs.WrongType, before any call, when key holds another type.
// Effects: those of HashExpire or HashPersist. O(1) a field.
func (tx *Tx) HashGetExpire(key []byte, fields [][]byte, change TTLChange, visit func(val []byte, ok bool)) error {
	p := tx.write(key)
	ok, err := hashAt(&p)
	if err != nil {
		return err
	}
	before := p.fieldsDue()
	var done [][]byte
	for _, field := range fields {
		if !ok || hashIsEmpty(&p) {
			visit(nil, false)
			continue
		}
		f, has := tx.hashFind(&p, field)
		if !has {
			visit(nil, false)
			continue
		}
		visit(tx.hashValue(&p, &f), true)
		switch {
		case change.Persist && f.due != Never:
			tx.hashSetDue(&p, field, &f, Never)
		case !change.Persist && change.At != 0:
			tx.hashExpireField(&p, field, &f, change.At)
		default:
			continue
		}
		done = append(done, field)
	}
	switch {
	case len(done) == 0:
	case change.Persist:
		tx.hashPersisted(&p, before, done)
	default:
		tx.hashExpired(&p, before, change.At, done)
	}
	return nil
}

// HashSetOptions are the choices of HashSetExpire.
type HashSetOptions struct {
	If      Cond      // IfMissing: none of the fields exists; IfExists: all do
	At      UnixMilli // their deadline, 0 for none; one that has come deletes them
	KeepTTL bool      // keep the deadlines there are, instead of At
}

// HashSetExpire sets fields of the hash at key, given as field and value in turn,
// creating it when absent, and their deadlines, if the options' condition holds;
// done says whether it does.
//
// It fails with errs.WrongType when key holds another type. Effects: "hset", then
// "hexpire", or "hdel", and "del" when no field is left. O(1) a field.
func (tx *Tx) HashSetExpire(key []byte, pairs [][]byte, opt HashSetOptions) (done bool, err error) {
	p := tx.write(key)
	ok, err := hashAt(&p)
	if err != nil {
		return false, err
	}
	if !tx.hashCondHolds(&p, ok, pairs, opt.If) {
		return false, nil
	}
	tx.hashSetAll(&p, pairs, opt.KeepTTL)
	n := len(pairs) / 2
	switch {
	case opt.At == 0 && !opt.KeepTTL:
		tx.changedHash(&p, "hset", n, "HSET", pairs...)
		return true, nil
	case opt.At == 0:
		tx.changedHash(&p, "hset", n, "HSETEX", tx.withPairs(pairs, []byte("KEEPTTL"))...)
		return true, nil
	}
	before := p.fieldsDue()
	fields := make([][]byte, 0, n)
	for i := 0; i < len(pairs) && !hashIsEmpty(&p); i += 2 {
		if f, has := tx.hashFind(&p, pairs[i]); has {
			tx.hashExpireField(&p, pairs[i], &f, opt.At)
		}
		fields = append(fields, pairs[i])
	}
	tx.hashShrunk(&p, before)
	if opt.At <= tx.past {
		tx.also(ClassHash, "hset", key)
		tx.changedHash(&p, "hdel", n, "HDEL", fields...)
		tx.hashGone(&p)
		return true, nil
	}
	tx.changedHash(&p, "hset", n, "HSETEX", tx.withPairs(pairs, []byte("PXAT"), decimal(int64(opt.At)))...)
	tx.also(ClassHash, "hexpire", key)
	return true, nil
}

// withPairs is withFields for fields with their values.
func (tx *Tx) withPairs(pairs [][]byte, words ...[]byte) [][]byte {
	if !tx.wantsArgv() {
		return nil
	}
	words = append(words, []byte("FIELDS"), decimal(int64(len(pairs)/2)))
	return append(words, pairs...)
}

// hashCondHolds says whether the condition on the fields of pairs holds at p, where
// there is a hash if exists.
func (tx *Tx) hashCondHolds(p *place, exists bool, pairs [][]byte, cond Cond) bool {
	if cond == Always {
		return true
	}
	for i := 0; i < len(pairs); i += 2 {
		has := false
		if exists {
			_, has = tx.hashFind(p, pairs[i])
		}
		if has != (cond == IfExists) {
			return false
		}
	}
	return true
}
