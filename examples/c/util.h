#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <stdarg.h>
#include <stdbool.h>
#include <strings.h>
#include <zlib.h>
typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int64_t i64;
typedef __int128 i128;

typedef struct {
  u8* p;
  size_t n, cap;
} buf;

typedef struct {
  char** k;
  long* v;
  size_t cap, len;
} map;

typedef struct { /* a member */
  char* name;
  int kind; /* 'f' file, 'd' directory, 'l' symbolic link */
  bool exec;
  buf data;
  char* target;
  bool hard, dup, gone;
} member;

typedef struct {
  member* m;
  size_t n, cap;
} members;

_Noreturn void fail(const char* f, ...);
void* xalloc(size_t n);
void put(buf* b, const void* p, size_t n);
void putc_(buf* b, u8 c, size_t times);
void put16(buf* b, u32 v);
void put32(buf* b, u32 v);
void put64(buf* b, u64 v);
u32 get16(const u8* p);
u32 get32(const u8* p);
u64 get64(const u8* p);
char* str(const u8* p, size_t n);
bool map_put(map* m, const char* k, long v); /* false if it was there (value replaced) */
long map_get(const map* m, const char* k);   /* -1 if not */
member* add(members* ms);
bool utf8(const u8* p, size_t n);
int decode(const u8* p, size_t n, u32* c); /* a character of UTF-8; bytes taken, or 0 if it is none */
void check_name(const u8* p, size_t n);
char* elsewhere(const char* name); /* the name on another system */
char* nfd(const char* name);
char* fold(const char* p, size_t n);
void sha2(int bits, const u8* p, size_t n, u8* out);
buf base64url(const u8* p, size_t n);
bool ends(const char* s, const char* e);
buf deflated(const u8* p, size_t n);
buf inflated(const u8* p, size_t n, u64 limit, size_t* used);
void self_test(void);
buf header_block(buf in, const char* const* order);
buf text_list(buf in);
extern const char *const METADATA[], *const WHEEL[];
/* a reader gives members, and the time of the first; a writer writes them */
members read_wheel(buf in, const char* file, i64* time, char** distinfo);
buf write_wheel(members ms, const char* distinfo, i64 date);
members read_sdist(buf in, i64* time);
buf write_sdist(members ms, i64 date);
