#include "util.h"
#include <time.h>

typedef struct {
  u32 needed, flags, method, time, date, crc, ext;
  u64 csize, usize, offset;
  const u8* name;
  size_t nn;
  u64 end;
  const u8* local;
} entry;

/* Checks an extra field (2.2). full: which of usize, csize, offset, disk are full; the values are put there. */
static bool extra(const u8* p, size_t n, bool local, const bool full[4], u64* v[4]) {
  bool zip64 = false;
  map seen = {0};
  char key[8];
  bool any = full[0] || full[1] || full[2] || full[3];
  while (n) {
    if (n < 4 || n - 4 < get16(p + 2)) fail("2.2: broken extra field");
    u32 id = get16(p), k = get16(p + 2);
    sprintf(key, "%u", id);
    if (!map_put(&seen, key, 1)) fail("2.2: extra field twice");
    if (id == 0x7075 || id == 0x6c78 || id == 0x9901 || (id == 0x5455 && !k)) fail("2.2: extra field 0x%04x", id);
    if (id == 1) {
      const u8 *q = p + 4, *e = q + k;
      zip64 = true;
      if (local && !any && k == 16) {
        if (get64(q) != *v[0] || get64(q + 8) != *v[1]) fail("2.2: ZIP64 sizes");
        q = e;
      } else if (!any) fail("2.2: ZIP64 field without need");
      for (int i = 0; i < 4; i++)
        if (full[i]) {
          size_t w = i == 3 ? 4 : 8;
          if ((size_t)(e - q) < w) fail("2.2: ZIP64 field too short");
          *v[i] = w == 8 ? get64(q) : get32(q);
          q += w;
        }
      if (q != e) fail("2.2: ZIP64 field too long");
    }
    p += 4 + k;
    n -= 4 + k;
  }
  if (any && !zip64) fail("2.2: no ZIP64 field");
  free(seen.k);
  free(seen.v);
  return zip64;
}

static void device(const char* c, size_t n) {
  size_t k = 0;
  static const char* const W[] = {"CONIN$", "CONOUT$", "CON", "PRN", "AUX", "NUL"};
  for (int i = 0; i < 6 && !k; i++)
    if (n >= strlen(W[i]) && !strncasecmp(c, W[i], strlen(W[i]))) k = strlen(W[i]);
  if (!k && n > 3 && (!strncasecmp(c, "COM", 3) || !strncasecmp(c, "LPT", 3))) {
    if (c[3] >= '1' && c[3] <= '9') k = 4;
    else if (n > 4 && (u8)c[3] == 0xc2 && ((u8)c[4] == 0xb9 || (u8)c[4] == 0xb2 || (u8)c[4] == 0xb3)) k = 5;
  }
  if (!k) return;
  size_t i = k;
  while (i < n && c[i] == ' ') i++;
  if (k == n || (i < n && c[i] == '.')) fail("2.2: name of a device");
}

static void wheel_name(const char* s, size_t n) {
  static const u32 HIDDEN[][2] = {
      {0xad, 0xad},     {0x600, 0x605},   {0x6dd, 0x6dd},   {0x70f, 0x70f},   {0x890, 0x891},
      {0x8e2, 0x8e2},   {0x180e, 0x180e}, {0x200b, 0x200f}, {0x2060, 0x206f}, {0xe000, 0xf8ff},
      {0xfdd0, 0xfdef}, {0xfeff, 0xfeff}, {0xfff0, 0xfffb}, {0xfffe, 0xffff}, {0xe0000, 0xe00ff},
      {0xe01f0, 0x10ffff}};
  if (memchr(s, ':', n)) fail("2.2: colon in a name");
  size_t v = n;
  while (v && s[v - 1] >= '0' && s[v - 1] <= '9') v--;
  if (v && s[v - 1] == ';') fail("2.2: name ends in a version");
  for (size_t i = 0; i < n;) {
    u32 c;
    i += decode((const u8*)s + i, n - i, &c);
    for (size_t j = 0; j < sizeof HIDDEN / sizeof *HIDDEN; j++)
      if (c >= HIDDEN[j][0] && c <= HIDDEN[j][1]) fail("2.2: U+%04X in a name", c);
  }
  for (size_t i = 0; i <= n;) {
    const char* e = memchr(s + i, '/', n - i);
    size_t k = (e ? (size_t)(e - s) : n) - i;
    if (s[i + k - 1] == '.' || s[i + k - 1] == ' ') fail("2.2: component ends in a dot or blank");
    device(s + i, k);
    i += k + 1;
  }
}

static void comment(const u8* p, size_t n) {
  for (size_t i = 0; i < n; i++)
    if ((p[i] < 0x20 && p[i] != 9 && p[i] != 10 && p[i] != 13) || p[i] == 0x7f)
      fail("2.2: control character in a comment");
}

static int by_offset(const void* a, const void* b) {
  u64 x = ((const entry*)a)->offset, y = ((const entry*)b)->offset;
  return (x > y) - (x < y);
}

static void local_header(buf in, entry* e, u64 cd) {
  u64 o = e->offset;
  if (o > cd || cd - o < 30 || get32(in.p + o) != 0x04034b50) fail("2.2: no local header");
  const u8* h = in.p + o;
  u32 nn = get16(h + 26), xn = get16(h + 28), crc = get32(h + 14);
  u64 c = get32(h + 18), u = get32(h + 22), data = o + 30 + nn + xn;
  if (data > cd || cd - data < e->csize) fail("2.2: contents beyond the central directory");
  if (get16(h + 4) > 45) fail("2.2: version needed");
  if (nn != e->nn || memcmp(h + 30, e->name, nn)) fail("2.2: names differ");
  if (get16(h + 6) != e->flags || get16(h + 8) != e->method) fail("2.2: flags or method differ");
  bool full[4] = {u == 0xffffffff, c == 0xffffffff, false, false};
  u64* v[4] = {&u, &c, NULL, NULL};
  bool zip64 = extra(h + 30 + nn, xn, true, full, v);
  bool same = crc == e->crc && c == e->csize && u == e->usize;
  if (!same && !((e->flags & 8) && !crc && !c && !u)) fail("2.2: local header differs");
  e->end = data + e->csize;
  e->local = in.p + data;
  if (e->flags & 8) {
    size_t w = zip64 ? 8 : 4;
    const u8* d = in.p + e->end;
    if (cd - e->end < 8 + 2 * w || get32(d) != 0x08074b50 || get32(d + 4) != e->crc) fail("2.2: data descriptor");
    u64 dc = w == 8 ? get64(d + 8) : get32(d + 8), du = w == 8 ? get64(d + 16) : get32(d + 12);
    if (dc != e->csize || du != e->usize) fail("2.2: data descriptor's sizes");
    e->end += 8 + 2 * w;
  }
}

static bool base64_is(const char* s, size_t n, const u8* d, size_t dn) {
  while (n && s[n - 1] == '=') n--;
  buf b = base64url(d, dn);
  bool r = b.n == n && !memcmp(b.p, s, n);
  free(b.p);
  return r;
}

static void check_record(buf r, const members* ms, const map* index, const char* own) {
  const u8 *p = r.p, *e = p + r.n;
  map seen = {0};
  if (!utf8(r.p, r.n)) fail("7.5: RECORD is not UTF-8");
  for (size_t i = 0; i < r.n;) {
    u32 c;
    i += decode(r.p + i, r.n - i, &c);
    if (!c || c == 11 || c == 12 || (c >= 0x1c && c <= 0x1e) || c == 0x85 || c == 0x2028 || c == 0x2029)
      fail("7.5: U+%04X in RECORD", c);
  }
  char* signed_[2] = {xalloc(strlen(own) + 5), xalloc(strlen(own) + 5)};
  sprintf(signed_[0], "%s.jws", own);
  sprintf(signed_[1], "%s.p7s", own);
  while (p < e) {
    buf f[4] = {{0}}; /* the last stands for all columns from the fourth on */
    size_t n = 0, columns = 0;
    for (;;) {
      n = columns++ < 3 ? columns - 1 : 3;
      put(&f[n], "", 0);
      if (p < e && *p == '"') {
        p++;
        for (;;) {
          if (p == e) fail("7.5: quotation mark");
          if (*p == '"') {
            if (p + 1 < e && p[1] == '"') p++;
            else break;
          }
          put(&f[n], p++, 1);
        }
        p++;
        if (p < e && *p != ',' && *p != '\n' && *p != '\r') fail("7.5: text after a quotation mark");
      } else
        while (p < e && *p != ',' && *p != '\n' && *p != '\r') put(&f[n], p++, 1);
      if (p == e || *p != ',') break;
      p++;
    }
    if (p < e && *p == '\r' && p + 1 < e && p[1] == '\n') p++;
    if (p < e) p++;
    if (columns != 3) fail("7.5: not three columns");
    char *name = (char*)f[0].p, *dig = (char*)f[1].p, *size = (char*)f[2].p;
    long i = map_get(index, name);
    if (ends(name, "/") || (i >= 0 && ms->m[i].kind == 'd')) continue;
    if (!strcmp(name, signed_[0]) || !strcmp(name, signed_[1])) continue;
    if (i < 0) fail("7.5: %s is listed and not there", name);
    if (!strcmp(name, own)) {
      if (*dig || *size) fail("7.5: digest of RECORD");
      continue;
    }
    if (!map_put(&seen, name, 1)) fail("7.5: %s is listed twice", name);
    int bits = !strncmp(dig, "sha256=", 7)   ? 256
               : !strncmp(dig, "sha384=", 7) ? 384
               : !strncmp(dig, "sha512=", 7) ? 512
                                             : 0;
    if (!bits) fail("7.5: no digest for %s", name);
    u8 d[64];
    sha2(bits, ms->m[i].data.p, ms->m[i].data.n, d);
    if (!base64_is(dig + 7, f[1].n - 7, d, bits / 8)) fail("7.5: digest of %s", name);
    if (strlen(size) > 19 || strspn(size, "0123456789") != strlen(size)) fail("7.5: size of %s", name);
    if (*size && strtoull(size, NULL, 10) != ms->m[i].data.n) fail("7.5: size of %s", name);
  }
  for (size_t i = 0; i < ms->n; i++)
    if (ms->m[i].kind == 'f' && strcmp(ms->m[i].name, own) && map_get(&seen, ms->m[i].name) < 0)
      fail("7.5: %s is not listed", ms->m[i].name);
}

static char* in_dir(const char* d, const char* n) {
  char* s = xalloc(strlen(d) + strlen(n) + 2);
  sprintf(s, "%s/%s", d, n);
  return s;
}

static void dist_info_name(const char* d, const char* file) {
  const char *f = strrchr(file, '/'), *end[6] = {0};
  f = f ? f + 1 : file;
  size_t parts = 0, n = strlen(f) - 4;
  for (const char* p = f; p <= f + n; p = end[parts++] + 1) {
    const char* e = memchr(p, '-', f + n - p);
    if (!e) e = f + n;
    if (parts == 6 || e == p) fail("2.2: file name of the wheel");
    end[parts] = e;
  }
  if (parts < 5 || (parts == 6 && (end[1][1] < '0' || end[1][1] > '9'))) fail("2.2: file name of the wheel");
  if (strcmp(fold(f, end[1] - f), fold(d, strlen(d) - 10))) fail("2.2: dist-info directory and file name differ");
}

members read_wheel(buf in, const char* file, i64* time, char** distinfo) {
  if (in.n < 22) fail("2.2: not a ZIP archive");
  size_t at = in.n > 65557 ? in.n - 65557 : 0;
  while (memcmp(in.p + at, "PK\5\6", 4) || in.n - at - 22 != get16(in.p + at + 20))
    if (at++ == in.n - 22) fail("2.2: no end record");
  const u8* r = in.p + at;
  for (size_t i = at + 4; i + 4 <= in.n; i++)
    if (!memcmp(in.p + i, "PK\5\6", 4)) fail("2.2: another end record");
  if (get16(r + 4) || get16(r + 6) || get16(r + 8) != get16(r + 10)) fail("2.2: disks or entries");
  comment(r + 22, get16(r + 20));
  u64 count = get16(r + 10), size = get32(r + 12), cd = get32(r + 16), stop = at;
  if (at >= 20 && !memcmp(in.p + at - 20, "PK\6\7", 4)) {
    const u8* l = in.p + at - 20;
    if (at < 76 || get32(l + 4) || get64(l + 8) != at - 76 || get32(l + 16) != 1) fail("2.2: ZIP64 locator");
    const u8* z = in.p + at - 76;
    stop = at - 76;
    if (memcmp(z, "PK\6\6", 4) || get64(z + 4) != 44 || get32(z + 16) || get32(z + 20) ||
        get64(z + 24) != get64(z + 32))
      fail("2.2: ZIP64 end record");
    u64 c = get64(z + 32), s = get64(z + 40), o = get64(z + 48);
    if (count != c && count != 0xffff) fail("2.2: numbers of entries");
    if ((size != s && size != 0xffffffff) || (cd != o && cd != 0xffffffff)) fail("2.2: end records differ");
    count = c;
    size = s;
    cd = o;
  }
  if (cd > stop || size != stop - cd || count > size / 46) fail("2.2: place or size of the central directory");
  entry* es = xalloc(count * sizeof *es);
  u64 p = cd;
  for (u64 i = 0; i < count; i++) {
    const u8* h = in.p + p;
    entry* e = &es[i];
    if (stop - p < 46 || memcmp(h, "PK\1\2", 4)) fail("2.2: central header");
    u32 nn = get16(h + 28), xn = get16(h + 30), cn = get16(h + 32);
    u64 disk = get16(h + 34);
    if (stop - p - 46 < nn + xn + cn) fail("2.2: central header");
    *e = (entry){.needed = get16(h + 6),
                 .flags = get16(h + 8),
                 .method = get16(h + 10),
                 .time = get16(h + 12),
                 .date = get16(h + 14),
                 .crc = get32(h + 16),
                 .csize = get32(h + 20),
                 .usize = get32(h + 24),
                 .ext = get32(h + 38),
                 .offset = get32(h + 42),
                 .name = h + 46,
                 .nn = nn};
    bool full[4] = {e->usize == 0xffffffff, e->csize == 0xffffffff, e->offset == 0xffffffff, disk == 0xffff};
    u64* v[4] = {&e->usize, &e->csize, &e->offset, &disk};
    extra(h + 46 + nn, xn, false, full, v);
    comment(h + 46 + nn + xn, cn);
    if (disk) fail("2.2: more disks");
    if (e->needed > 45) fail("2.2: version needed");
    if (e->flags & ~0x080eu) fail("2.2: flags");
    if (e->method != 0 && e->method != 8) fail("2.2: method");
    if (!e->method && (e->csize != e->usize || (e->flags & 8))) fail("2.2: stored member");
    for (size_t j = 0; j < nn; j++)
      if (e->name[j] > 0x7f && !(e->flags & 0x800)) fail("2.2: name not ASCII");
    p += 46 + nn + xn + cn;
  }
  if (p != stop) fail("2.2: size of the central directory");
  qsort(es, count, sizeof *es, by_offset);
  u64 next = 0;
  for (u64 i = 0; i < count; i++) {
    if (es[i].offset != next) fail("2.2: gap or overlap");
    local_header(in, &es[i], cd);
    next = es[i].end;
  }
  if (next != cd) fail("2.2: gap before the central directory");
  members ms = {0};
  map index = {0}, keys = {0};
  char* dist = NULL;
  u64 total = 0, most = in.n * 70 > 67108864 ? in.n * 70 : 67108864;
  for (u64 i = 0; i < count; i++) {
    entry* e = &es[i];
    member* m = add(&ms);
    size_t n = e->nn;
    bool dir = n && e->name[n - 1] == '/';
    check_name(e->name, n - dir);
    m->name = str(e->name, n - dir);
    wheel_name(m->name, n - dir);
    m->kind = dir ? 'd' : 'f';
    u32 type = e->ext >> 16 & 0170000;
    if (type && type != (dir ? 0040000u : 0100000u)) fail("2.2: type of %s", m->name);
    if (!dir && (e->ext & 0x10)) fail("2.2: file with a directory's attribute");
    if (dir && (e->usize || (e->method ? e->csize != 2 || memcmp(e->local, "\3\0", 2) : e->csize)))
      fail("2.2: directory is not empty");
    if (e->usize > most || (total += e->usize) > most) fail("2.2: unpacks to too much");
    if (e->method) {
      size_t used;
      m->data = inflated(e->local, e->csize, e->usize, &used);
      if (used != e->csize) fail("2.2: bytes after a deflate stream");
    } else put(&m->data, e->local, e->csize);
    if (m->data.n != e->usize || crc32_z(0, m->data.p, m->data.n) != e->crc) fail("2.2: size or CRC-32 of %s", m->name);
    const char* s = strchr(m->name, '/');
    m->exec =
        (type == 0100000 && (e->ext >> 16 & 0111)) || (s && s - m->name > 5 && !strncmp(s - 5, ".data/scripts/", 14));
    if (!map_put(&index, m->name, i)) fail("2.2: two members of one name");
    if (!map_put(&keys, elsewhere(m->name), m->kind == 'f')) fail("2.2: names that are one on another system");
    char* top = str(e->name, s ? (size_t)(s - m->name) : n - dir);
    if (ends(top, ".dist-info")) {
      if (dist && strcmp(dist, top)) fail("2.2: two dist-info directories");
      dist = top;
    }
    if (i == 0) {
      struct tm t = {.tm_year = 80 + (e->date >> 9),
                     .tm_mon = (e->date >> 5 & 15) - 1,
                     .tm_mday = e->date & 31,
                     .tm_hour = e->time >> 11,
                     .tm_min = e->time >> 5 & 63,
                     .tm_sec = (e->time & 31) * 2};
      *time = timegm(&t);
    }
  }
  for (size_t i = 0; i < ms.n; i++)
    for (char* s = strchr(ms.m[i].name, '/'); s; s = strchr(s + 1, '/')) {
      char* d = str((u8*)ms.m[i].name, s - ms.m[i].name);
      long k = map_get(&index, d);
      if ((k >= 0 && ms.m[k].kind == 'f') || map_get(&keys, elsewhere(d)) == 1) fail("2.2: a member beneath a file");
    }
  if (!dist) fail("2.2: no dist-info directory");
  dist_info_name(dist, file);
  char* record = in_dir(dist, "RECORD");
  long k = map_get(&index, record);
  if (k < 0 || ms.m[k].kind != 'f') fail("2.2: no RECORD");
  if (map_get(&index, in_dir(dist, "RECORD.jws")) >= 0 || map_get(&index, in_dir(dist, "RECORD.p7s")) >= 0)
    fail("2.2: signature");
  check_record(ms.m[k].data, &ms, &index, record);
  for (size_t i = 0; i < ms.n; i++) {
    member* m = &ms.m[i];
    char* s = in_dir(dist, "sboms/");
    if (m->kind == 'd' || !strcmp(m->name, record) || !strcmp(m->name, ".source-date-epoch")) {
      m->gone = true;
      continue;
    }
    if (!strncmp(m->name, s, strlen(s))) fail("SBOMs are not implemented (7.7)");
    if (ends(m->name, ".pyc")) {
      char* b = strrchr(m->name, '/');
      b = b ? b + 1 : m->name;
      char src[4200];
      size_t dn = b - m->name;
      if (dn >= 12 && (dn == 12 || b[-13] == '/') && !strncmp(b - 12, "__pycache__/", 12))
        sprintf(src, "%.*s%.*s.py", (int)dn - 12, m->name, (int)strcspn(b, "."), b);
      else sprintf(src, "%.*s", (int)strlen(m->name) - 1, m->name);
      if (map_get(&index, src) >= 0) fail("compiled modules are not implemented (7.8)");
    }
    if (!strcmp(m->name, in_dir(dist, "METADATA"))) m->data = header_block(m->data, METADATA);
    if (!strcmp(m->name, in_dir(dist, "WHEEL"))) m->data = header_block(m->data, WHEEL);
    if (!strcmp(m->name, in_dir(dist, "top_level.txt"))) m->data = text_list(m->data);
  }
  *distinfo = dist;
  return ms;
}

static int by_name(const void* a, const void* b) {
  return strcmp((*(member* const*)a)->name, (*(member* const*)b)->name);
}

static const char* dist_dir;

static int by_place(const void* a, const void* b) {
  size_t n = strlen(dist_dir);
  const member *x = *(member* const*)a, *y = *(member* const*)b;
  bool dx = !strncmp(x->name, dist_dir, n) && x->name[n] == '/',
       dy = !strncmp(y->name, dist_dir, n) && y->name[n] == '/';
  return dx != dy ? dx - dy : strcmp(x->name, y->name);
}

buf write_wheel(members ms, const char* dist, i64 date) {
  member **o = xalloc((ms.n + 1) * sizeof *o), record = {.name = in_dir(dist, "RECORD"), .kind = 'f'};
  size_t n = 0;
  for (size_t i = 0; i < ms.n; i++)
    if (!ms.m[i].gone) o[n++] = &ms.m[i];
  qsort(o, n, sizeof *o, by_name);
  for (size_t i = 0; i <= n; i++) {
    const char* name = i < n ? o[i]->name : record.name;
    bool q = strpbrk(name, ",\"\r\n");
    if (q) put(&record.data, "\"", 1);
    for (const char* c = name; *c; c++) putc_(&record.data, *c, *c == '"' ? 2 : 1);
    if (q) put(&record.data, "\"", 1);
    if (i == n) {
      put(&record.data, ",,\n", 3);
      break;
    }
    u8 d[32];
    char t[32];
    sha2(256, o[i]->data.p, o[i]->data.n, d);
    buf b = base64url(d, 32);
    put(&record.data, ",sha256=", 8);
    put(&record.data, b.p, b.n);
    put(&record.data, t, sprintf(t, ",%zu\n", o[i]->data.n));
  }
  for (size_t i = 0; i < ms.n; i++)
    if (!strcmp(ms.m[i].name, record.name)) record.exec = ms.m[i].exec;
  dist_dir = dist;
  qsort(o, n, sizeof *o, by_place);
  o[n++] = &record;
  time_t at = date < 315532800 ? 315532800 : date;
  struct tm t;
  gmtime_r(&at, &t);
  u32 dos = t.tm_hour * 2048 + t.tm_min * 32 + t.tm_sec / 2,
      day = (t.tm_year - 80) * 512 + (t.tm_mon + 1) * 32 + t.tm_mday;
  buf out = {0}, cd = {0};
  for (size_t i = 0; i < n; i++) {
    buf c = o[i]->data, d = {0};
    size_t nn = strlen(o[i]->name);
    u64 off = out.n;
    if (c.n) d = deflated(c.p, c.n);
    bool deflate = c.n && d.n < c.n, z = c.n >= 0xffffffff, zo = off >= 0xffffffff, ascii = true;
    for (size_t j = 0; j < nn; j++)
      if ((u8)o[i]->name[j] > 0x7f) ascii = false;
    buf w = deflate ? d : c, com = {0};
    u32 base = deflate ? 20 : 10;
    put16(&com, ascii ? 0 : 0x800);
    put16(&com, deflate ? 8 : 0);
    put16(&com, dos);
    put16(&com, day);
    put32(&com, crc32_z(0, c.p, c.n));
    put32(&com, z ? 0xffffffff : w.n);
    put32(&com, z ? 0xffffffff : c.n);
    put16(&com, nn);
    put(&out, "PK\3\4", 4);
    put16(&out, z ? 45 : base);
    put(&out, com.p, com.n);
    put16(&out, z ? 20 : 0);
    put(&out, o[i]->name, nn);
    if (z) {
      put16(&out, 1);
      put16(&out, 16);
      put64(&out, c.n);
      put64(&out, w.n);
    }
    put(&out, w.p, w.n);
    bool cz = z || zo;
    u32 xn = (z ? 16 : 0) + (zo ? 8 : 0);
    put(&cd, "PK\1\2", 4);
    putc_(&cd, cz ? 45 : 20, 1);
    putc_(&cd, 3, 1);
    put16(&cd, cz ? 45 : base);
    put(&cd, com.p, com.n);
    put16(&cd, cz ? xn + 4 : 0);
    put16(&cd, 0);
    put16(&cd, 0);
    put16(&cd, 0);
    put32(&cd, (o[i]->exec ? 0100755u : 0100644u) << 16);
    put32(&cd, zo ? 0xffffffff : off);
    put(&cd, o[i]->name, nn);
    if (cz) {
      put16(&cd, 1);
      put16(&cd, xn);
      if (z) {
        put64(&cd, c.n);
        put64(&cd, w.n);
      }
      if (zo) put64(&cd, off);
    }
    free(d.p);
    free(com.p);
  }
  u64 start = out.n, z64;
  put(&out, cd.p, cd.n);
  z64 = out.n;
  if (n >= 0xffff || cd.n >= 0xffffffff || start >= 0xffffffff) {
    put(&out, "PK\6\6", 4);
    put64(&out, 44);
    put16(&out, 45);
    put16(&out, 45);
    put32(&out, 0);
    put32(&out, 0);
    put64(&out, n);
    put64(&out, n);
    put64(&out, cd.n);
    put64(&out, start);
    put(&out, "PK\6\7", 4);
    put32(&out, 0);
    put64(&out, z64);
    put32(&out, 1);
  }
  put(&out, "PK\5\6", 4);
  put32(&out, 0);
  put16(&out, n < 0xffff ? n : 0xffff);
  put16(&out, n < 0xffff ? n : 0xffff);
  put32(&out, cd.n < 0xffffffff ? cd.n : 0xffffffff);
  put32(&out, start < 0xffffffff ? start : 0xffffffff);
  put16(&out, 0);
  return out;
}
