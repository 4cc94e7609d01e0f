#include "util.h"
#include "tables.h"

void fail(const char* f, ...) {
  va_list a;
  va_start(a, f);
  fputs("canonical: ", stderr);
  vfprintf(stderr, f, a);
  fputc('\n', stderr);
  exit(1);
}

void* xalloc(size_t n) {
  void* p = calloc(1, n ? n : 1);
  if (!p) fail("out of memory");
  return p;
}

void put(buf* b, const void* p, size_t n) {
  if (b->n + n + 1 > b->cap) {
    b->cap = (b->n + n) * 2 + 64;
    b->p = realloc(b->p, b->cap);
    if (!b->p) fail("out of memory");
  }
  if (n) memcpy(b->p + b->n, p, n);
  b->n += n;
  b->p[b->n] = 0;
}

void putc_(buf* b, u8 c, size_t t) {
  while (t--) put(b, &c, 1);
}

void put16(buf* b, u32 v) {
  u8 d[2] = {v, v >> 8};
  put(b, d, 2);
}

void put32(buf* b, u32 v) {
  put16(b, v & 0xffff);
  put16(b, v >> 16);
}

void put64(buf* b, u64 v) {
  put32(b, (u32)v);
  put32(b, v >> 32);
}

u32 get16(const u8* p) { return p[0] | p[1] << 8; }

u32 get32(const u8* p) { return get16(p) | get16(p + 2) << 16; }

u64 get64(const u8* p) { return get32(p) | (u64)get32(p + 4) << 32; }

char* str(const u8* p, size_t n) {
  char* s = xalloc(n + 1);
  memcpy(s, p, n);
  return s;
}

bool ends(const char* s, const char* e) {
  size_t a = strlen(s), b = strlen(e);
  return a >= b && !strcmp(s + a - b, e);
}

static size_t slot(const map* m, const char* k) {
  u64 h = 14695981039346656037ull;
  for (const char* c = k; *c; c++) h = (h ^ (u8)*c) * 1099511628211ull;
  size_t i = (h ^ h >> 29) & (m->cap - 1);
  while (m->k[i] && strcmp(m->k[i], k)) i = (i + 1) & (m->cap - 1);
  return i;
}

bool map_put(map* m, const char* k, long v) {
  if (m->len * 2 >= m->cap) {
    map n = {0};
    n.cap = m->cap ? m->cap * 4 : 64;
    n.k = xalloc(n.cap * sizeof *n.k);
    n.v = xalloc(n.cap * sizeof *n.v);
    for (size_t i = 0; i < m->cap; i++)
      if (m->k[i]) {
        size_t s = slot(&n, m->k[i]);
        n.k[s] = m->k[i];
        n.v[s] = m->v[i];
        n.len++;
      }
    free(m->k);
    free(m->v);
    *m = n;
  }
  size_t i = slot(m, k);
  bool fresh = !m->k[i];
  if (fresh) {
    m->k[i] = strdup(k);
    m->len++;
  }
  m->v[i] = v;
  return fresh;
}

long map_get(const map* m, const char* k) {
  if (!m->cap) return -1;
  size_t i = slot(m, k);
  return m->k[i] ? m->v[i] : -1;
}

member* add(members* ms) {
  if (ms->n == ms->cap) {
    ms->cap = ms->cap * 2 + 16;
    ms->m = realloc(ms->m, ms->cap * sizeof *ms->m);
    if (!ms->m) fail("out of memory");
  }
  memset(&ms->m[ms->n], 0, sizeof *ms->m);
  return &ms->m[ms->n++];
}

/* --- Unicode --- */
int decode(const u8* p, size_t n, u32* c) { /* bytes taken; 0 if it is not UTF-8 */
  if (!n) return 0;
  if (*p < 0x80) {
    *c = *p;
    return 1;
  }
  int len = *p >= 0xf0 ? 4 : *p >= 0xe0 ? 3 : 2;
  if (*p < 0xc2 || *p > 0xf4 || n < (size_t)len) return 0;
  u32 v = *p & (0x7f >> len);
  for (int i = 1; i < len; i++) {
    if ((p[i] & 0xc0) != 0x80) return 0;
    v = v << 6 | (p[i] & 0x3f);
  }
  if ((len == 3 && v < 0x800) || (len == 4 && (v < 0x10000 || v > 0x10ffff)) || (v >= 0xd800 && v < 0xe000)) return 0;
  *c = v;
  return len;
}

bool utf8(const u8* p, size_t n) {
  u32 c;
  while (n) {
    int k = decode(p, n, &c);
    if (!k) return false;
    p += k;
    n -= k;
  }
  return true;
}

static void encode(buf* b, u32 c) {
  if (c < 0x80) putc_(b, c, 1);
  else if (c < 0x800) {
    u8 d[] = {0xc0 | c >> 6, 0x80 | (c & 63)};
    put(b, d, 2);
  } else if (c < 0x10000) {
    u8 d[] = {0xe0 | c >> 12, 0x80 | (c >> 6 & 63), 0x80 | (c & 63)};
    put(b, d, 3);
  } else {
    u8 d[] = {0xf0 | c >> 18, 0x80 | (c >> 12 & 63), 0x80 | (c >> 6 & 63), 0x80 | (c & 63)};
    put(b, d, 4);
  }
}

static const u32* look(const u32* t, size_t rows, size_t width, u32 c) {
  size_t lo = 0, hi = rows;
  while (lo < hi) {
    size_t m = (lo + hi) / 2;
    if (t[m * width] < c) lo = m + 1;
    else hi = m;
  }
  return lo < rows && t[lo * width] == c ? t + lo * width : NULL;
}

#define LOOK(T, c) look(&T[0][0], sizeof T / sizeof T[0], sizeof T[0] / 4, c)

static u32 ccc(u32 c) {
  const u32* r = LOOK(CCC, c);
  return r ? r[1] : 0;
}

typedef struct {
  u32* c;
  size_t n, cap;
} cps;

static void push(cps* s, u32 c) {
  if (s->n == s->cap) {
    s->cap = s->cap * 2 + 64;
    s->c = realloc(s->c, s->cap * 4);
    if (!s->c) fail("out of memory");
  }
  s->c[s->n++] = c;
}

static cps decompose(cps in) {
  cps o = {0};
  for (size_t i = 0; i < in.n; i++) {
    u32 c = in.c[i];
    const u32* r;
    if (c >= 0xac00 && c <= 0xd7a3) {
      u32 s = c - 0xac00;
      push(&o, 0x1100 + s / 588);
      push(&o, 0x1161 + s % 588 / 28);
      if (s % 28) push(&o, 0x11a7 + s % 28);
    } else if ((r = LOOK(NFD, c)))
      for (int j = 1; j < 5 && r[j]; j++) push(&o, r[j]);
    else push(&o, c);
  }
  for (size_t i = 0; i < o.n;) { /* runs of marks in the order of their classes (stable) */
    if (!ccc(o.c[i])) {
      i++;
      continue;
    }
    size_t e = i;
    while (e < o.n && ccc(o.c[e])) e++;
    for (size_t j = i + 1; j < e; j++) {
      u32 c = o.c[j], k = ccc(c);
      size_t x = j;
      while (x > i && ccc(o.c[x - 1]) > k) {
        o.c[x] = o.c[x - 1];
        x--;
      }
      o.c[x] = c;
    }
    i = e;
  }
  free(in.c);
  return o;
}

static cps points(const char* s, bool take_out) {
  cps o = {0};
  size_t n = strlen(s);
  u32 c;
  while (n) {
    int k = decode((const u8*)s, n, &c);
    if (!k) fail("not UTF-8");
    s += k;
    n -= k;
    if (take_out &&
        ((c >= 0x200c && c <= 0x200f) || (c >= 0x202a && c <= 0x202e) || (c >= 0x206a && c <= 0x206f) || c == 0xfeff))
      continue;
    push(&o, c);
  }
  return o;
}

char* nfd(const char* s) {
  cps c = decompose(points(s, false));
  buf b = {0};
  put(&b, "", 0);
  for (size_t i = 0; i < c.n; i++) encode(&b, c.c[i]);
  free(c.c);
  return (char*)b.p;
}

char* elsewhere(const char* s) {
  cps c = decompose(points(s, true)), f = {0};
  for (size_t i = 0; i < c.n; i++) {
    const u32* r = LOOK(FOLD, c.c[i]);
    if (r)
      for (int j = 1; j < 5 && r[j]; j++) push(&f, r[j]);
    else push(&f, c.c[i]);
  }
  free(c.c);
  f = decompose(f);
  buf b = {0};
  put(&b, "", 0);
  size_t start = 0;
  for (size_t i = 0; i <= f.n; i++) {
    if (i == f.n || f.c[i] == '/') {
      while (b.n > start && (b.p[b.n - 1] == '.' || b.p[b.n - 1] == ' ')) b.n--;
      b.p[b.n] = 0;
    }
    if (i < f.n) {
      encode(&b, f.c[i]);
      if (f.c[i] == '/') start = b.n;
    }
  }
  free(f.c);
  return (char*)b.p;
}

char* fold(const char* p, size_t n) {
  buf b = {0};
  put(&b, "", 0);
  for (size_t i = 0; i < n; i++) {
    char c = p[i];
    if (c == '-' || c == '_' || c == '.') {
      if (i && strchr("-_.", p[i - 1])) continue;
      c = '-';
    }
    if (c >= 'A' && c <= 'Z') c += 32;
    putc_(&b, c, 1);
  }
  return (char*)b.p;
}

void check_name(const u8* p, size_t n) { /* section 2.1; without a directory's slash */
  if (!n) fail("2.1: empty name");
  if (n > 4096) fail("2.1: name too long");
  if (!utf8(p, n)) fail("2.1: name not UTF-8");
  if (*p == '/') fail("2.1: absolute name");
  if (n > 1 && p[1] == ':' && (p[0] | 32) >= 'a' && (p[0] | 32) <= 'z') fail("2.1: drive letter");
  for (size_t i = 0; i < n;) {
    u32 c;
    i += decode(p + i, n - i, &c);
    if (c == '\\' || c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0x61c || c == 0x200e || c == 0x200f ||
        (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069))
      fail("2.1: character U+%04X in a name", c);
  }
  for (size_t i = 0, parts = 1; i <= n; parts++) {
    const u8* e = memchr(p + i, '/', n - i);
    size_t k = (e ? (size_t)(e - p) : n) - i;
    if (parts > 128) fail("2.1: too many components");
    if (k > 255 || !k || (k == 1 && p[i] == '.') || (k == 2 && p[i] == '.' && p[i + 1] == '.'))
      fail("2.1: component of a name");
    i += k + 1;
  }
}

/* --- SHA-2 and base64 --- */
static u64 ror(u64 x, int n, int w) {
  return w == 64 ? x >> n | x << (64 - n) : (u32)((u32)x >> n | (u32)x << (32 - n));
}

void sha2(int bits, const u8* p, size_t n, u8* out) {
  int w = bits == 256 ? 32 : 64, wb = w / 8, blk = wb * 16, rounds = w == 64 ? 80 : 64;
  static const int R[2][12] = {{2, 13, 22, 6, 11, 25, 7, 18, 3, 17, 19, 10},
                               {28, 34, 39, 14, 18, 41, 1, 8, 7, 19, 61, 6}};
  const int* r = R[w == 64];
  u64 mask = w == 64 ? ~0ull : 0xffffffff, h[8];
  for (int i = 0; i < 8; i++) h[i] = w == 64 ? H5[i + (bits == 384 ? 8 : 0)] : H5[i] >> 32;
  size_t total = (n + 1 + 2 * wb + blk - 1) / blk * blk;
  u8 tail[256] = {0};
  size_t whole = n / blk * blk;
  memcpy(tail, p + whole, n - whole);
  tail[n - whole] = 0x80;
  for (int i = 0; i < 8; i++) tail[total - whole - 1 - i] = (u64)n * 8 >> 8 * i;
  for (size_t at = 0; at < total; at += blk) {
    const u8* q = at < whole ? p + at : tail + (at - whole);
    u64 m[80], s[8];
    for (int i = 0; i < 16; i++) {
      m[i] = 0;
      for (int j = 0; j < wb; j++) m[i] = m[i] << 8 | q[i * wb + j];
    }
    for (int i = 16; i < rounds; i++) {
      u64 a = m[i - 15], b = m[i - 2];
      m[i] = (m[i - 16] + m[i - 7] + (ror(a, r[6], w) ^ ror(a, r[7], w) ^ a >> r[8]) +
              (ror(b, r[9], w) ^ ror(b, r[10], w) ^ b >> r[11])) &
             mask;
    }
    memcpy(s, h, sizeof s);
    for (int i = 0; i < rounds; i++) {
      u64 k = w == 64 ? K5[i] : K5[i] >> 32;
      u64 t1 = s[7] + (ror(s[4], r[3], w) ^ ror(s[4], r[4], w) ^ ror(s[4], r[5], w)) +
               ((s[4] & s[5]) ^ (~s[4] & s[6])) + k + m[i];
      u64 t2 = (ror(s[0], r[0], w) ^ ror(s[0], r[1], w) ^ ror(s[0], r[2], w)) +
               ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));
      memmove(s + 1, s, 7 * sizeof *s);
      s[4] = (s[4] + t1) & mask;
      s[0] = (t1 + t2) & mask;
    }
    for (int i = 0; i < 8; i++) h[i] = (h[i] + s[i]) & mask;
  }
  for (int i = 0; i < bits / 8; i++) out[i] = h[i / wb] >> (w - 8 - i % wb * 8);
}

buf base64url(const u8* p, size_t n) {
  static const char A[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  buf b = {0};
  for (size_t i = 0; i < n; i += 3) {
    u32 v = p[i] << 16 | (i + 1 < n ? p[i + 1] << 8 : 0) | (i + 2 < n ? p[i + 2] : 0);
    for (int j = 0; j < 4 && i + j <= n; j++) putc_(&b, A[v >> (18 - 6 * j) & 63], 1);
  }
  return b;
}

/* --- deflate: section 4 --- */
enum { SEGMENT = 1048576 };

buf deflated(const u8* p, size_t n) {
  buf o = {0};
  size_t at = 0;
  do {
    size_t k = n - at < SEGMENT ? n - at : SEGMENT;
    bool last = at + k == n;
    z_stream z = {0};
    if (deflateInit2(&z, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) != Z_OK) fail("zlib");
    if (at && deflateSetDictionary(&z, p + at - 32768, 32768) != Z_OK) fail("zlib");
    size_t room = deflateBound(&z, k) + 1024;
    u8* to = xalloc(room);
    z.next_in = (u8*)p + at;
    z.avail_in = k;
    z.next_out = to;
    z.avail_out = room;
    int r = deflate(&z, last ? Z_FINISH : Z_SYNC_FLUSH);
    if (r != (last ? Z_STREAM_END : Z_OK) || z.avail_in || z.avail_out < 16) fail("zlib");
    put(&o, to, room - z.avail_out);
    free(to);
    deflateEnd(&z);
    at += k;
  } while (at < n);
  return o;
}

buf inflated(const u8* p, size_t n, u64 limit, size_t* used) { /* raw; fails where there are more than limit bytes */
  z_stream z = {0};
  buf o = {0};
  u8* chunk = xalloc(1 << 18);
  int r;
  if (inflateInit2(&z, -15) != Z_OK) fail("zlib");
  if (n > 0xffffffff) fail("too large");
  z.next_in = (u8*)p;
  z.avail_in = n;
  do {
    z.next_out = chunk;
    z.avail_out = 1 << 18;
    r = inflate(&z, Z_NO_FLUSH);
    if (r != Z_OK && r != Z_STREAM_END) fail("broken deflate stream");
    put(&o, chunk, (1 << 18) - z.avail_out);
    if (o.n > limit) fail("unpacks to too much");
  } while (r != Z_STREAM_END);
  *used = n - z.avail_in;
  inflateEnd(&z);
  free(chunk);
  put(&o, "", 0);
  return o;
}

static void one_stream(bool text, size_t n, size_t size, const char* want) {
  buf b = {0};
  u8 d[32];
  char t[32], hex[65];
  for (u64 i = 0; b.n < n; i++) {
    int k = sprintf(t, text ? "%llu\n" : "%llu", (unsigned long long)(text ? i * i : i));
    if (text) put(&b, t, k);
    else {
      sha2(256, (u8*)t, k, d);
      put(&b, d, 32);
    }
  }
  buf o = deflated(b.p, n);
  sha2(256, o.p, o.n, d);
  for (int i = 0; i < 32; i++) sprintf(hex + 2 * i, "%02x", d[i]);
  if (o.n != size || strcmp(hex, want))
    fail("this zlib does not give the reference streams (4.4): %zu bytes of %zu", n, o.n);
  free(b.p);
  free(o.p);
}

void self_test(void) {
  one_stream(true, 300, 150, "67cfc9b6990a693a77507dcddf18b77aeeafd4325403e38e06033cbb893d5650");
  one_stream(false, 300, 305, "264d945811dc5dd612b4747d256cc6985bbcc3299754f2fbb106819bd302953f");
  one_stream(true, 100000, 43692, "e3102dbea0cb63a698d271362ec3d01d5b92b5392cb5d2a932c661005b62afe1");
  if (!getenv("CANONICAL_SELF_TEST")) return;
  one_stream(false, 100000, 100035, "bbd1f1b2f7445a083e627765277becdd5b21b42314450eb538493f91db28df92");
  one_stream(true, 1048576, 433070, "587a5f9c1c81c0b2cff7a4426d1b816ed3b559f056470db43e725a20a0edae87");
  one_stream(true, 1048577, 433078, "f9a27e9b78afd75d44f3d0aa16bf5162934c32064da9476e584a14991c30b84d");
  one_stream(true, 2097152, 844309, "8ff8176ed68db78434710d7c0b895b3909aad5f770aa8ed52ad9ee483759f280");
  one_stream(true, 3000000, 1203638, "48340eb9750ad2675bcf9922e1d9ff6c1a6ce949dacc3d1d3f0d4de10dbca42f");
}

/* --- texts: 7.1 to 7.4 --- */
const char* const METADATA[] = {"Metadata-Version",
                                "Name",
                                "Version",
                                "Dynamic",
                                "Platform",
                                "Supported-Platform",
                                "Summary",
                                "Description",
                                "Description-Content-Type",
                                "Keywords",
                                "Author",
                                "Author-email",
                                "Maintainer",
                                "Maintainer-email",
                                "License",
                                "License-Expression",
                                "License-File",
                                "Classifier",
                                "Requires-Dist",
                                "Requires-Python",
                                "Requires-External",
                                "Project-URL",
                                "Provides-Extra",
                                "Import-Name",
                                "Import-Namespace",
                                "Provides-Dist",
                                "Obsoletes-Dist",
                                "Home-page",
                                "Download-URL",
                                "Requires",
                                "Provides",
                                "Obsoletes",
                                NULL};
const char* const WHEEL[] = {"Wheel-Version", "Generator", "Root-Is-Purelib", "Tag", "Build", NULL};

typedef struct {
  buf text;
  size_t name;
  int rank;
  const u8* v;
  size_t vn;
  size_t nr;
} field;

static int bytes_cmp(const u8* a, size_t an, const u8* b, size_t bn) {
  int r = memcmp(a, b, an < bn ? an : bn);
  return r ? r : (an > bn) - (an < bn);
}

static int field_cmp(const void* x, const void* y) {
  const field *a = x, *b = y;
  if (a->rank != b->rank) return a->rank - b->rank;
  int r = a->v && b->v ? bytes_cmp(a->v, a->vn, b->v, b->vn) : 0;
  return r ? r : (a->nr > b->nr) - (a->nr < b->nr);
}

buf header_block(buf in, const char* const* order) {
  field* f = NULL;
  size_t nf = 0, at = 0;
  bool empty = false;
  while (at < in.n && !empty) {
    u8 *s = in.p + at, *lf = memchr(s, '\n', in.n - at);
    size_t k = lf ? (size_t)(lf - s) : in.n - at;
    at += k + (lf != NULL);
    if (lf && k && s[k - 1] == '\r') k--;
    if (!k) {
      empty = true;
      break;
    }
    if (memchr(s, 0, k) || memchr(s, '\r', k)) return in;
    if (*s == ' ' || *s == '\t') {
      if (!nf) return in;
    } else {
      size_t c = 0;
      while (c < k && s[c] > 0x20 && s[c] < 0x7f && s[c] != ':') c++;
      if (!c || c == k || s[c] != ':') return in;
      if (!(nf & (nf - 1))) f = realloc(f, (nf ? nf * 2 : 1) * sizeof *f);
      memset(&f[nf], 0, sizeof *f);
      f[nf].name = c;
      f[nf].nr = nf;
      nf++;
    }
    put(&f[nf - 1].text, s, k);
    put(&f[nf - 1].text, "\n", 1);
  }
  if (!nf) return in;
  for (size_t i = 0; i < nf; i++) {
    int r = 0;
    while (order[r] && !(strlen(order[r]) == f[i].name && !strncasecmp(order[r], (char*)f[i].text.p, f[i].name))) r++;
    f[i].rank = r;
    if (order == WHEEL && r == 3) {
      u8 *a = f[i].text.p + f[i].name + 1, *e = f[i].text.p + f[i].text.n;
      while (a < e && (*a == ' ' || (*a >= 9 && *a <= 13))) a++;
      while (a < e && (e[-1] == ' ' || (e[-1] >= 9 && e[-1] <= 13))) e--;
      f[i].v = a;
      f[i].vn = e - a;
    }
  }
  qsort(f, nf, sizeof *f, field_cmp);
  buf o = {0};
  for (size_t i = 0; i < nf; i++) put(&o, f[i].text.p, f[i].text.n);
  if (empty) {
    put(&o, "\n", 1);
    put(&o, in.p + at, in.n - at);
  }
  return o;
}

static int line_cmp(const void* x, const void* y) {
  const buf *a = x, *b = y;
  return bytes_cmp(a->p, a->n, b->p, b->n);
}

buf text_list(buf in) {
  if (!in.n || memchr(in.p, 0, in.n)) return in;
  buf t = {0}, o = {0};
  for (size_t i = 0; i < in.n; i++) {
    if (in.p[i] == '\r') {
      if (i + 1 == in.n || in.p[i + 1] != '\n') return in;
      continue;
    }
    putc_(&t, in.p[i], 1);
  }
  while (t.n && t.p[t.n - 1] == '\n') t.n--;
  size_t n = 1;
  for (size_t i = 0; i < t.n; i++) n += t.p[i] == '\n';
  buf* l = xalloc(n * sizeof *l);
  u8 *s = t.p, *end = t.p + t.n;
  for (size_t i = 0; i < n; i++) {
    u8* e = memchr(s, '\n', end - s);
    if (!e) e = end;
    l[i].p = s;
    l[i].n = e - s;
    s = e + 1;
  }
  qsort(l, n, sizeof *l, line_cmp);
  for (size_t i = 0; i < n; i++) {
    put(&o, l[i].p, l[i].n);
    put(&o, "\n", 1);
  }
  return o;
}
