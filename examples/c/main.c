#include "util.h"

static i64 seconds(const char* s) {
  i64 v = 0;
  if (!*s) fail("3: date");
  for (const char* c = s; *c; c++) {
    if (*c < '0' || *c > '9' || v > 1000000000000) fail("3: date");
    v = v * 10 + *c - '0';
  }
  if (v > 4354819198) fail("3: date");
  return v;
}

/* Section 2: fails if it is an archive of another format, too. */
static void formats(buf b, bool wheel) {
  if (b.n >= 512) {
    i64 sum = 256, low = 256, v = -1;
    for (size_t i = 0; i < 512; i++)
      if (i < 148 || i > 155) {
        sum += b.p[i];
        low += (signed char)b.p[i];
      }
    size_t i = 148;
    while (i < 156 && (b.p[i] == ' ' || b.p[i] == '\t' || !b.p[i])) i++;
    for (; i < 156 && b.p[i] >= '0' && b.p[i] <= '7'; i++) v = (v < 0 ? 0 : v) * 8 + b.p[i] - '0';
    if (b.p[148] > 127) v = (i64)b.p[152] << 24 | b.p[153] << 16 | b.p[154] << 8 | b.p[155];
    if (v == sum || v == low || !memcmp(b.p + 257, "ustar", 5)) fail("2: a tar header");
  }
  for (size_t at = 32769; wheel && at < 32769 + 8 * 2048 && at + 5 <= b.n; at += 2048)
    if (!memcmp(b.p + at, "CD001", 5)) fail("2: an ISO 9660 image");
  for (size_t at = b.n > 65557 ? b.n - 65557 : 0; !wheel && at + 4 <= b.n; at++)
    if (!memcmp(b.p + at, "PK\5\6", 4)) fail("2: a ZIP file");
}

int main(int argc, char** argv) {
  const char *in = NULL, *out = NULL, *date = NULL;
  for (int i = 1; i < argc; i++) {
    if (!strcmp(argv[i], "--date") && i + 1 < argc) date = argv[++i];
    else if (!in) in = argv[i];
    else if (!out) out = argv[i];
    else in = NULL;
  }
  if (!in || !out) fail("usage: canonical INPUT OUTPUT [--date SECONDS]");
  self_test();
  if (!date) date = getenv("SOURCE_DATE_EPOCH");
  i64 d = date ? seconds(date) : -1, own = -1;
  bool wheel = ends(in, ".whl");
  char* dist = NULL;
  if (!wheel && !ends(in, ".tar.gz")) fail("neither a wheel nor an sdist");
  FILE* f = fopen(in, "rb");
  if (!f) fail("cannot read %s", in);
  buf b = {0};
  static u8 chunk[1 << 16];
  size_t k;
  while ((k = fread(chunk, 1, sizeof chunk, f)) > 0) put(&b, chunk, k);
  if (ferror(f)) fail("cannot read %s", in);
  fclose(f);
  members ms = wheel ? read_wheel(b, in, &own, &dist) : read_sdist(b, &own);
  buf o = {0};
  if (d < 0 && own >= 0 && own <= 4354819198) {
    o = wheel ? write_wheel(ms, dist, own) : write_sdist(ms, own);
    if (o.n == b.n && !memcmp(o.p, b.p, b.n)) d = own;
  }
  if (d < 0) d = 1580601600;
  if (d != own || !o.n) o = wheel ? write_wheel(ms, dist, d) : write_sdist(ms, d);
  formats(b, wheel);
  formats(o, wheel);
  char* tmp = xalloc(strlen(out) + 8);
  sprintf(tmp, "%s.tmp", out);
  if (!(f = fopen(tmp, "wb"))) fail("cannot write %s", out);
  if (fwrite(o.p, 1, o.n, f) != o.n || fclose(f) || rename(tmp, out)) {
    remove(tmp);
    fail("cannot write %s", out);
  }
  return 0;
}
