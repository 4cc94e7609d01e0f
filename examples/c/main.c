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
  char* tmp = xalloc(strlen(out) + 8);
  sprintf(tmp, "%s.tmp", out);
  if (!(f = fopen(tmp, "wb"))) fail("cannot write %s", out);
  if (fwrite(o.p, 1, o.n, f) != o.n || fclose(f) || rename(tmp, out)) {
    remove(tmp);
    fail("cannot write %s", out);
  }
  return 0;
}
