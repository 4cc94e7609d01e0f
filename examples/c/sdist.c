#include "util.h"
#define BIG (((i128)1) << 62)

static i128 number(const u8* p, size_t n, bool base256) { /* a field for a number: 2.3 */
  if (base256 && (*p == 0x80 || *p == 0xff)) {
    i128 v = *p == 0xff ? -1 : 0;
    for (size_t i = 1; i < n; i++) v = v * 256 + p[i];
    return v;
  }
  i128 v = 0;
  size_t i = 0;
  while (i < n && p[i] == ' ') i++;
  if (i == n) fail("2.3: field for a number is all blanks");
  while (i < n && p[i] >= '0' && p[i] <= '7') v = v * 8 + p[i++] - '0';
  while (i < n && (p[i] == ' ' || !p[i])) i++;
  if (i < n) fail("2.3: not an octal number");
  return v;
}

static char* field(const u8* p, size_t n) { return str(p, strnlen((const char*)p, n)); }

typedef struct {
  buf key, value;
} record;

typedef struct {
  record* r;
  size_t n;
} records;

static buf* find(records* rs, const char* k) {
  for (size_t i = 0; rs && i < rs->n; i++)
    if (!strcmp((char*)rs->r[i].key.p, k)) return &rs->r[i].value;
  return NULL;
}

static i128 decimal(const buf* b) {
  i128 v = 0;
  size_t minus = b->n && *b->p == '-';
  if (b->n == minus || b->n - minus > 20) fail("2.3: number in a record");
  for (size_t i = minus; i < b->n; i++) {
    if (b->p[i] < '0' || b->p[i] > '9') fail("2.3: number in a record");
    v = v * 10 + b->p[i] - '0';
  }
  return minus ? -v : v;
}

static records parse(const u8* p, size_t n, bool global) {
  records rs = {0};
  static const char* const BAD[] = {"GNU.sparse.",     "GNU.dumpdir",     "GNU.volume.",
                                    "SCHILY.filetype", "SCHILY.realsize", "SUN.holesdata",
                                    "SCHILY.acl.access"};
  map seen = {0};
  while (n) {
    size_t len = 0, i = 0;
    while (i < n && p[i] >= '0' && p[i] <= '9' && i < 19) len = len * 10 + p[i++] - '0';
    if (!i || i >= n || p[i] != ' ' || len > n || len < i + 3 || p[len - 1] != '\n') fail("2.3: PAX record");
    const u8 *k = p + i + 1, *eq = memchr(k, '=', len - i - 2);
    if (!eq || eq == k || *k == ' ' || *k == '\t' || eq - k > 300) fail("2.3: keyword");
    if (memchr(k, 0, eq - k) || memchr(k, '\n', eq - k)) fail("2.3: NUL or LF in a keyword");
    rs.r = realloc(rs.r, (rs.n + 1) * sizeof *rs.r);
    record* r = &rs.r[rs.n++];
    memset(r, 0, sizeof *r);
    put(&r->key, k, eq - k);
    put(&r->value, eq + 1, p + len - 1 - eq - 1);
    if (!map_put(&seen, (char*)r->key.p, 1)) fail("2.3: keyword twice");
    for (int j = 0; j < 7; j++)
      if (!strncmp((char*)r->key.p, BAD[j], strlen(BAD[j]))) fail("2.3: record %s", BAD[j]);
    for (size_t j = 0; j < r->value.n; j++)
      if (r->value.p[j] == '\n') {
        size_t q = j + 1, d = q;
        while (q < r->value.n && r->value.p[q] >= '0' && r->value.p[q] <= '9') q++;
        if (q > d && q + 1 < r->value.n && r->value.p[q] == ' ' && r->value.p[q + 1] != '=' &&
            memchr(r->value.p + q, '=', r->value.n - q))
          fail("2.3: record within a value");
      }
    p += len;
    n -= len;
  }
  buf* b;
  static const char* const TEXTS[] = {"linkpath", "uname", "gname"};
  for (int j = 0; j < 3; j++)
    if ((b = find(&rs, TEXTS[j])) && !utf8(b->p, b->n)) fail("2.3: %s is not UTF-8", TEXTS[j]);
  if ((b = find(&rs, "hdrcharset")) && strcmp((char*)b->p, "ISO-IR 10646 2000 UTF-8")) fail("2.3: hdrcharset");
  if (global && (find(&rs, "path") || find(&rs, "linkpath") || find(&rs, "size"))) fail("2.3: global header");
  if ((b = find(&rs, "uid")) && (decimal(b) < 0 || decimal(b) > 4294967295ll)) fail("2.3: owner");
  if ((b = find(&rs, "gid")) && (decimal(b) < 0 || decimal(b) > 4294967295ll)) fail("2.3: owner");
  static const char* const T[] = {"mtime", "atime", "ctime"};
  for (int j = 0; j < 3; j++)
    if ((b = find(&rs, T[j]))) {
      buf w = {0};
      u8* d = memchr(b->p, '.', b->n);
      put(&w, b->p, d ? (size_t)(d - b->p) : b->n);
      if (decimal(&w) >= BIG || decimal(&w) <= -BIG) fail("2.3: time");
      if (d && b->p + b->n - d > 41) fail("2.3: time");
      for (u8* q = d ? d + 1 : b->p + b->n; q < b->p + b->n; q++)
        if (*q < '0' || *q > '9') fail("2.3: time");
    }
  return rs;
}

static buf gunzip(buf in) {
  if (in.n < 18 || in.p[0] != 0x1f || in.p[1] != 0x8b || in.p[2] != 8) fail("2.3: not gzip");
  u8 fl = in.p[3];
  size_t at = 10, used;
  if (fl & 0xe4) fail("2.3: flags of gzip");
  for (int bit = 8; bit <= 16; bit *= 2)
    if (fl & bit) {
      u8* e = memchr(in.p + at, 0, in.n - at);
      if (!e) fail("2.3: gzip header");
      at = e - in.p + 1;
    }
  if (fl & 2) {
    if (in.n - at < 2 || get16(in.p + at) != (crc32(0, in.p, at) & 0xffff)) fail("2.3: gzip header's checksum");
    at += 2;
  }
  u64 limit = (u64)in.n * 70 > 67108864 ? (u64)in.n * 70 : 67108864;
  buf o = inflated(in.p + at, in.n - at, limit, &used);
  at += used;
  if (in.n - at != 8 || get32(in.p + at) != crc32_z(0, o.p, o.n) || get32(in.p + at + 4) != (u32)o.n)
    fail("2.3: end of gzip");
  return o;
}

static void check_target(const char* t) {
  size_t n = strlen(t);
  bool other = false;
  if (!n || n > 4096 || !utf8((const u8*)t, n) || *t == '/' || strchr(t, '\\')) fail("2.3: target of a link");
  if (t[1] == ':' && (*t | 32) >= 'a' && (*t | 32) <= 'z') fail("2.3: drive letter");
  for (const char* s = t; s;) {
    const char* e = strchr(s, '/');
    size_t k = e ? (size_t)(e - s) : strlen(s);
    if (k == 2 && s[0] == '.' && s[1] == '.') {
      if (other) fail("2.3: .. within a target");
    } else if (k && !(k == 1 && *s == '.')) other = true;
    s = e ? e + 1 : NULL;
  }
}

static void follow(const members* ms, const map* index, const member* l, const char* top, long* steps) {
  struct part {
    const char* s;
    size_t n;
  }* st = NULL;

  size_t sn = 0, cap = 0;
  int passed = 1;
  buf cur = {0};
  put(&cur, l->name, strrchr(l->name, '/') - l->name);
  for (const char* s = l->name; (s = strchr(s, '/')); s++) *steps += 2; /* directories above it, and in its name */
  if (++*steps > 262144) fail("2.3: too many steps");
  const char* t = l->target;
  for (;;) {
    if (t) { /* push its components, the last one first */
      size_t n = strlen(t), parts = 1;
      for (size_t i = 0; i < n; i++) parts += t[i] == '/';
      if (sn + parts > cap) {
        cap = (sn + parts) * 2;
        st = realloc(st, cap * sizeof *st);
      }
      for (size_t e = n, i = 0; i < parts; i++) {
        size_t b = e;
        while (b && t[b - 1] != '/') b--;
        st[sn++] = (struct part){t + b, e - b};
        e = b ? b - 1 : 0;
      }
      t = NULL;
    }
    if (!sn) break;
    struct part c = st[--sn];
    if (++*steps > 262144) fail("2.3: too many steps");
    if (!c.n || (c.n == 1 && *c.s == '.')) continue;
    if (c.n == 2 && c.s[0] == '.' && c.s[1] == '.') {
      if (!strcmp((char*)cur.p, top)) fail("2.3: link leaves the top directory");
      cur.n = strrchr((char*)cur.p, '/') - (char*)cur.p;
      cur.p[cur.n] = 0;
      continue;
    }
    size_t was = cur.n;
    put(&cur, "/", 1);
    put(&cur, c.s, c.n);
    long k = map_get(index, (char*)cur.p);
    if (k >= 0 && ms->m[k].kind == 'l') {
      if (++passed > 40) fail("2.3: too many links");
      t = ms->m[k].target;
      cur.n = was;
      cur.p[was] = 0;
    }
  }
  free(st);
  free(cur.p);
}

members read_sdist(buf file, i64* time) {
  buf in = gunzip(file);
  members ms = {0};
  map index = {0};
  u64 most = file.n / 64 > 16384 ? file.n / 64 : 16384, headers = 0, strings = 0, total = 0,
      limit = (u64)file.n * 70 > 67108864 ? (u64)file.n * 70 : 67108864;
  if (in.n % 512) fail("2.3: length of the tar archive");
  records own = {0}, none = {0};
  bool has_own = false, pending = false;
  char *lname = NULL, *ltarget = NULL;
  size_t at = 0;
  for (;;) {
    if (at == in.n) fail("2.3: no end of the tar archive");
    const u8* h = in.p + at;
    u32 sum = 0;
    bool zero = true;
    for (int i = 0; i < 512; i++) {
      sum += i >= 148 && i < 156 ? ' ' : h[i];
      zero = zero && !h[i];
    }
    if (zero) break;
    if (++headers > most) fail("2.3: too many headers");
    bool ustar = !memcmp(h + 257,
                         "ustar\0"
                         "00",
                         8),
         gnu = !memcmp(h + 257, "ustar  \0", 8);
    if (!ustar && !gnu) fail("2.3: magic");
    if (number(h + 148, 8, false) != sum) fail("2.3: checksum");
    i128 mode = number(h + 100, 8, true), uid = number(h + 108, 8, true), gid = number(h + 116, 8, true),
         sz = number(h + 124, 12, true), mt = number(h + 136, 12, true);
    number(h + 329, 8, true);
    number(h + 337, 8, true);
    if (sz < 0) fail("2.3: size");
    if (h[345] && (gnu || !h[0])) fail("2.3: prefix");
    char type = h[156];
    at += 512;
    bool ext = type == 'x' || type == 'g' || type == 'L' || type == 'K', is_link = type == '1' || type == '2';
    if (!ext && (uid < 0 || gid < 0 || uid > 4294967295ll || gid > 4294967295ll)) fail("2.3: owner");
    if (!ext && (mt >= BIG || mt <= -BIG)) fail("2.3: time");
    buf* b = has_own && !ext ? find(&own, "size") : NULL;
    if (b) {
      i128 s = decimal(b), max = 077777777777ll;
      if (s <= max ? sz != s : sz != s && sz != 0 && sz != max) fail("2.3: sizes differ");
      sz = s;
    }
    u64 left = in.n - at;
    if (sz > left) fail("2.3: contents beyond the end");
    u64 size = sz, padded = (size + 511) / 512 * 512;
    const u8* c = in.p + at;
    if (padded > left) fail("2.3: contents beyond the end");
    if (ext) {
      if (size > 65536) fail("2.3: extended header too large");
      for (u64 i = size; i < padded; i++)
        if (c[i]) fail("2.3: padding of an extended header");
      at += padded;
      if (type == 'g') {
        if (pending) fail("2.3: global header between");
        parse(c, size, true);
        if (at == in.n || !memcmp(in.p + at, in.p + in.n - 512, 512)) fail("2.3: no member follows");
        continue;
      }
      pending = true;
      if (type == 'x') {
        if (has_own) fail("2.3: two PAX headers");
        own = parse(c, size, false);
        has_own = true;
        continue;
      }
      char** to = type == 'L' ? &lname : &ltarget;
      size_t k = strnlen((const char*)c, size);
      if (*to) fail("2.3: two GNU long names");
      if (!k || size > k + 1) fail("2.3: GNU long name");
      *to = str(c, k);
      continue;
    }
    if (type && !strchr("0712"
                        "5",
                        type))
      fail("2.3: type of member");
    char *name = field(h, 100), *prefix = h[345] ? field(h + 345, 155) : NULL, *target = field(h + 157, 100);
    bool slashed = ends(name, "/");
    if (prefix) {
      char* s = xalloc(strlen(name) + strlen(prefix) + 2);
      sprintf(s, "%s/%s", prefix, name);
      name = s;
    }
    if (lname) name = lname;
    if (ltarget && is_link) target = ltarget;
    if ((b = find(&own, "path"))) {
      if (memchr(b->p, 0, b->n) || (lname && strcmp(lname, (char*)b->p))) fail("2.3: path");
      name = (char*)b->p;
    }
    if (is_link && (b = find(&own, "linkpath"))) {
      if (memchr(b->p, 0, b->n) || (ltarget && strcmp(ltarget, (char*)b->p))) fail("2.3: linkpath");
      target = (char*)b->p;
    }
    own = none;
    has_own = pending = false;
    lname = ltarget = NULL;
    size_t nn = strlen(name);
    bool slash = nn && name[nn - 1] == '/', dir = type == '5';
    if (!type) {
      if (slash != slashed) fail("2.3: slash of an old file");
      dir = slash;
    }
    if (slash && !dir) fail("2.3: slash at the end of a file's name");
    if (slash) name = str((u8*)name, --nn);
    check_name((u8*)name, nn);
    strings += nn + (type == '2' || type == '1' ? strlen(target) : 0);
    if (strings > 33554432) fail("2.3: names too long");
    int kind = dir ? 'd' : type == '2' ? 'l' : 'f';
    bool hard = type == '1', exec = mode & 0100;
    if (kind != 'l' && (mode & 011) && !exec) fail("2.3: executable, but not by the owner");
    if ((kind != 'f' || hard) && size) fail("2.3: contents of something else than a file");
    buf data = {0};
    put(&data, c, size);
    at += padded;
    if (kind == 'l') check_target(target);
    if (hard) {
      long k = map_get(&index, target);
      if (k < 0 || ms.m[k].kind != 'f' || ms.m[k].exec != exec) fail("2.3: hard link");
      ms.m[k].hard = true;
      data = ms.m[k].data;
    }
    if (kind == 'f' && (total += data.n) > limit) fail("2.3: files too large");
    if (headers == 1 || *time < 0) *time = mt >= 0 && mt < BIG ? (i64)mt : -1;
    long k = map_get(&index, name);
    if (k >= 0) {
      member* m = &ms.m[k];
      if (m->kind != kind || (kind == 'l' && strcmp(m->target, target)) ||
          (kind == 'f' && (hard || m->hard || m->exec != exec)))
        fail("2.3: %s twice", name);
      m->data = data;
      m->dup = true;
      continue;
    }
    map_put(&index, name, ms.n);
    member* m = add(&ms);
    *m = (member){.name = name, .kind = kind, .exec = exec, .data = data, .target = target, .hard = hard};
  }
  if (pending) fail("2.3: no member after an extended header");
  if (in.n - at < 1024) fail("2.3: one block of zeros");
  for (size_t i = at; i < in.n; i++)
    if (in.p[i]) fail("2.3: bytes after the end");
  if (!ms.n) fail("2.3: no member");
  size_t tn = strcspn(ms.m[0].name, "/");
  char* top = str((u8*)ms.m[0].name, tn);
  bool others = false;
  map parents = {0}, forms = {0}, leaves = {0}, links = {0};
  long steps = 0;
  for (size_t i = 0; i < ms.n; i++) {
    char* n = ms.m[i].name;
    if (strncmp(n, top, tn) || (n[tn] && n[tn] != '/')) fail("2.3: two names at the top");
    if (!n[tn] && ms.m[i].kind != 'd') fail("2.3: the top is not a directory");
    if (n[tn] && n[tn + 1] != 'P') others = true;
    for (char* s = strchr(n, '/'); s; s = strchr(s + 1, '/')) {
      char* d = str((u8*)n, s - n);
      long k = map_get(&index, d);
      if (k >= 0 && ms.m[k].kind != 'd') fail("2.3: a member beneath a file");
      map_put(&parents, d, 1);
      free(d);
    }
    if (ms.m[i].kind == 'l') map_put(&links, elsewhere(n), i);
    if (!map_put(&forms, nfd(n), 1)) fail("2.3: two names are the same in normal form C");
    if (ms.m[i].kind != 'd') map_put(&leaves, nfd(n), 1);
  }
  for (size_t i = 0; i < ms.n; i++) {
    char *n = ms.m[i].name, *s = n;
    do { /* the name and those of all directories above it */
      s = strchr(s + 1, '/');
      char* d = str((u8*)n, s ? (size_t)(s - n) : strlen(n));
      if (s && map_get(&leaves, nfd(d)) >= 0) fail("2.3: beneath a name that is a file's in normal form C");
      long l = map_get(&links, elsewhere(d));
      if (l >= 0 && strcmp(ms.m[l].name, d)) fail("2.3: one name with a link's on another system");
    } while (s);
    if (ms.m[i].kind == 'l') follow(&ms, &index, &ms.m[i], top, &steps);
  }
  char* info = xalloc(tn + 12);
  sprintf(info, "%s/PKG-INFO", top);
  long k = map_get(&index, info);
  if (k < 0 || ms.m[k].kind == 'd') fail("2.3: no PKG-INFO");
  if (!others) fail("2.3: all names begin with P");
  char* ft = fold(top, tn);
  for (size_t i = 0; i < ms.n; i++) {
    member* m = &ms.m[i];
    char* n = m->name;
    if (m->kind == 'd') {
      m->gone = map_get(&parents, n) >= 0;
      continue;
    }
    if (m->kind != 'f') continue;
    if (!strcmp(n, info)) {
      m->data = header_block(m->data, METADATA);
      continue;
    }
    char *base = strrchr(n, '/') + 1, *e = base - 1, *d = e;
    while (d > n && d[-1] != '/') d--;
    if (d == n || e - d < 9 || strncmp(e - 9, ".egg-info", 9)) continue;
    char* fp = fold(d, e - d - 9);
    size_t fn = strlen(fp);
    if (strncmp(ft, fp, fn) || ft[fn] != '-' || ft[fn + 1] < '0' || ft[fn + 1] > '9') continue;
    if (!strcmp(base, "PKG-INFO")) m->data = header_block(m->data, METADATA);
    if (!strcmp(base, "SOURCES.txt") || !strcmp(base, "top_level.txt")) m->data = text_list(m->data);
  }
  return ms;
}

static int by_name(const void* a, const void* b) {
  return strcmp((*(member* const*)a)->name, (*(member* const*)b)->name);
}

static void reduced(u8* to, const char* s) {
  for (int i = 0; i < 100 && s[i]; i++) to[i] = (u8)s[i] > 0x7f ? '_' : s[i];
}

static bool needs(const char* s) {
  if (strlen(s) > 100) return true;
  for (; *s; s++)
    if ((u8)*s > 0x7f) return true;
  return false;
}

static void header(buf* o, const char* name, int mode, u64 size, i64 date, char type, const char* target) {
  u8 h[512] = {0};
  u32 sum = 0;
  char* c = (char*)h;
  reduced(h, name);
  sprintf(c + 100, "%07o", mode);
  strcpy(c + 108, "0000000");
  strcpy(c + 116, "0000000");
  sprintf(c + 124, "%011llo", (unsigned long long)(size >> 33 ? 0 : size));
  sprintf(c + 136, "%011llo", (unsigned long long)date);
  memset(c + 148, ' ', 8);
  h[156] = type;
  if (target) reduced(h + 157, target);
  memcpy(c + 257,
         "ustar\0"
         "00",
         8);
  strcpy(c + 329, "0000000");
  strcpy(c + 337, "0000000");
  for (int i = 0; i < 512; i++) sum += h[i];
  sprintf(c + 148, "%06o", sum);
  put(o, h, 512);
}

static void contents(buf* o, buf c) {
  put(o, c.p, c.n);
  putc_(o, 0, (512 - c.n % 512) % 512);
}

static void pax(buf* o, const char* key, const char* value) {
  size_t base = strlen(key) + strlen(value) + 3, n = base + 1;
  char t[32];
  while (base + sprintf(t, "%zu", n) != n) n = base + sprintf(t, "%zu", n);
  put(o, t, strlen(t));
  put(o, " ", 1);
  put(o, key, strlen(key));
  put(o, "=", 1);
  put(o, value, strlen(value));
  put(o, "\n", 1);
}

buf write_sdist(members ms, i64 date) {
  member** l = xalloc(ms.n * sizeof *l);
  size_t n = 0;
  buf o = {0}, out = {0};
  for (size_t i = 0; i < ms.n; i++)
    if (!ms.m[i].gone) l[n++] = &ms.m[i];
  qsort(l, n, sizeof *l, by_name);
  for (size_t i = 0; i < n; i++) {
    member* m = l[i];
    char* name = m->name;
    buf r = {0};
    char t[32];
    if (m->kind == 'd') {
      name = xalloc(strlen(m->name) + 2);
      sprintf(name, "%s/", m->name);
    }
    if (m->kind == 'l' && needs(m->target)) pax(&r, "linkpath", m->target);
    if (needs(name)) pax(&r, "path", name);
    if (m->kind == 'f' && m->data.n >= 8589934592ull) {
      sprintf(t, "%zu", m->data.n);
      pax(&r, "size", t);
    }
    if (r.n) {
      header(&o, "././@PaxHeader", 0644, r.n, date, 'x', NULL);
      contents(&o, r);
    }
    header(&o, name,
           m->kind == 'l'              ? 0777
           : m->kind == 'd' || m->exec ? 0755
                                       : 0644,
           m->kind == 'f' ? m->data.n : 0, date,
           m->kind == 'd'   ? '5'
           : m->kind == 'l' ? '2'
                            : '0',
           m->kind == 'l' ? m->target : NULL);
    if (m->kind == 'f') contents(&o, m->data);
  }
  putc_(&o, 0, 1024);
  putc_(&o, 0, (10240 - o.n % 10240) % 10240);
  put(&out, "\x1f\x8b\x08\0\0\0\0\0\0\xff", 10);
  buf d = deflated(o.p, o.n);
  put(&out, d.p, d.n);
  put32(&out, crc32_z(0, o.p, o.n));
  put32(&out, (u32)o.n);
  return out;
}
