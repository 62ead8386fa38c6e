// A tracing test double of libVig. It stands between an NF and a real libVig (whose functions are renamed to
// real_* at link time, see bench.py), writes down every call, and answers from the real one or from a script
// (tracing.h says how). Packet I/O and allocation always use the real thing.
#include <stdlib.h>

#include "libvig/verified/cht.h"
#include "libvig/verified/cms.h"
#include "libvig/verified/double-chain.h"
#include "libvig/verified/double-map.h"
#include "libvig/verified/expirator.h"
#include "libvig/verified/hash.h"
#include "libvig/verified/lpm.h"
#include "libvig/verified/map.h"
#include "libvig/verified/packet-io.h"
#include "libvig/verified/sketch.h"
#include "libvig/verified/token-bucket.h"
#include "libvig/verified/vector.h"
#include "harness.h"
#include "tracing.h"

// Weak, because the libVig at hand may not have all of them.
#define CALL(function) extern __attribute__((weak)) __typeof__(function) real_##function;
#include "calls.def"
#undef CALL

// ---- Maps

int map_allocate(map_keys_equality *keq, map_key_hash *khash, unsigned capacity, struct Map **map_out) {
  begin("map_allocate");
  function_pointer("keq", keq);
  function_pointer("khash", khash);
  integer("capacity", capacity);
  integer("map_out", (intptr_t)map_out);
  int ok = real_map_allocate(keq, khash, capacity, map_out);
  if (ok) {
    struct object *map = new_object(*map_out);
    find_key_by_equality(keq, &map->key);
    bytes("key_mask", map->key.mask, map->key.size);
    object("object", *map_out);
  }
  return (int)returns(ok);
}

int map_get(struct Map *map, void *key, int *value_out) {
  begin("map_get");
  object("map", map);
  key_bytes("key", key, &object_at(map)->key);
  int found = scripted ? (int)answer("map_get", value_out, sizeof(*value_out)) : real_map_get(map, key, value_out);
  if (found) {
    integer("value_out", *value_out);
  }
  return (int)returns(found);
}

void map_put(struct Map *map, void *key, int value) {
  begin("map_put");
  object("map", map);
  key_bytes("key", key, &object_at(map)->key);
  integer("value", value);
  if (!scripted) {
    real_map_put(map, key, value);
  }
  returns_nothing();
}

void map_erase(struct Map *map, void *key, void **trash) {
  begin("map_erase");
  object("map", map);
  key_bytes("key", key, &object_at(map)->key);
  if (scripted) {
    *trash = key;
  } else {
    real_map_erase(map, key, trash);
  }
  returns_nothing();
}

unsigned map_size(struct Map *map) {
  begin("map_size");
  object("map", map);
  return (unsigned)returns(scripted ? answer("map_size", NULL, 0) : real_map_size(map));
}

// ---- Vectors

int vector_allocate(int elem_size, unsigned capacity, vector_init_elem *init_elem, struct Vector **vector_out) {
  begin("vector_allocate");
  integer("elem_size", elem_size);
  integer("capacity", capacity);
  function_pointer("init_elem", init_elem);
  integer("vector_out", (intptr_t)vector_out);
  int ok = real_vector_allocate(elem_size, capacity, init_elem, vector_out);
  if (ok) {
    new_object(*vector_out)->elem_size = (unsigned)elem_size;
    object("object", *vector_out);
  }
  return (int)returns(ok);
}

void vector_borrow(struct Vector *vector, int index, void **val_out) {
  unsigned elem_size = object_at(vector)->elem_size;
  begin("vector_borrow");
  object("vector", vector);
  integer("index", index);
  struct cell *cell = cell_of(vector, index);
  if (cell == NULL) {
    cell = new_cell(vector, index, elem_size);
    cell->owned = scripted;
    cell->value = scripted ? calloc(1, elem_size) : NULL;
  }
  if (scripted) {
    answer("vector_borrow", cell->value, elem_size);
  } else {
    real_vector_borrow(vector, index, &cell->value);
  }
  log_cell(cell, elem_size);
  *val_out = cell->value;
  returns_nothing();
}

void vector_return(struct Vector *vector, int index, void *value) {
  begin("vector_return");
  object("vector", vector);
  integer("index", index);
  struct cell *cell = cell_of(vector, index);
  if (cell == NULL || cell->value != value) {
    bench_escape("vector_return of a pointer that vector_borrow did not give out for index %d", index);
  }
  log_cell(cell, object_at(vector)->elem_size);
  if (!scripted) {
    real_vector_return(vector, index, value);
  }
  returns_nothing();
}

// ---- Double chains

int dchain_allocate(int index_range, struct DoubleChain **chain_out) {
  begin("dchain_allocate");
  integer("index_range", index_range);
  integer("chain_out", (intptr_t)chain_out);
  int ok = real_dchain_allocate(index_range, chain_out);
  if (ok) {
    new_object(*chain_out);
    object("object", *chain_out);
  }
  return (int)returns(ok);
}

int dchain_allocate_new_index(struct DoubleChain *chain, int *index_out, vigor_time_t time) {
  begin("dchain_allocate_new_index");
  object("chain", chain);
  integer("time", time);
  int ok = scripted ? (int)answer("dchain_allocate_new_index", index_out, sizeof(*index_out))
                    : real_dchain_allocate_new_index(chain, index_out, time);
  if (ok) {
    integer("index_out", *index_out);
  }
  return (int)returns(ok);
}

int dchain_rejuvenate_index(struct DoubleChain *chain, int index, vigor_time_t time) {
  begin("dchain_rejuvenate_index");
  object("chain", chain);
  integer("index", index);
  integer("time", time);
  return (int)returns(scripted ? answer("dchain_rejuvenate_index", NULL, 0)
                               : real_dchain_rejuvenate_index(chain, index, time));
}

int dchain_expire_one_index(struct DoubleChain *chain, int *index_out, vigor_time_t time) {
  begin("dchain_expire_one_index");
  object("chain", chain);
  integer("time", time);
  int ok = scripted ? (int)answer("dchain_expire_one_index", index_out, sizeof(*index_out))
                    : real_dchain_expire_one_index(chain, index_out, time);
  if (ok) {
    integer("index_out", *index_out);
  }
  return (int)returns(ok);
}

int dchain_is_index_allocated(struct DoubleChain *chain, int index) {
  begin("dchain_is_index_allocated");
  object("chain", chain);
  integer("index", index);
  return (int)returns(scripted ? answer("dchain_is_index_allocated", NULL, 0)
                               : real_dchain_is_index_allocated(chain, index));
}

int dchain_free_index(struct DoubleChain *chain, int index) {
  begin("dchain_free_index");
  object("chain", chain);
  integer("index", index);
  return (int)returns(scripted ? answer("dchain_free_index", NULL, 0) : real_dchain_free_index(chain, index));
}

// ---- Double maps

int dmap_allocate(map_keys_equality *eq_a, map_key_hash *hash_a, map_keys_equality *eq_b, map_key_hash *hash_b,
                  int value_size, uq_value_copy *copy, uq_value_destr *destroy, dmap_extract_keys *extract_keys,
                  dmap_pack_keys *pack_keys, unsigned capacity, unsigned keys_capacity, struct DoubleMap **map_out) {
  begin("dmap_allocate");
  function_pointer("eq_a", eq_a);
  function_pointer("hash_a", hash_a);
  function_pointer("eq_b", eq_b);
  function_pointer("hash_b", hash_b);
  integer("value_size", value_size);
  function_pointer("copy", copy);
  function_pointer("destroy", destroy);
  function_pointer("extract_keys", extract_keys);
  function_pointer("pack_keys", pack_keys);
  integer("capacity", capacity);
  integer("keys_capacity", keys_capacity);
  integer("map_out", (intptr_t)map_out);
  int ok = real_dmap_allocate(eq_a, hash_a, eq_b, hash_b, value_size, copy, destroy, extract_keys, pack_keys, capacity,
                              keys_capacity, map_out);
  if (ok) {
    struct object *map = new_object(*map_out);
    map->elem_size = (unsigned)value_size;
    find_key_by_equality(eq_a, &map->key);
    find_key_by_equality(eq_b, &map->key_b);
    bytes("key_mask_a", map->key.mask, map->key.size);
    bytes("key_mask_b", map->key_b.mask, map->key_b.size);
    object("object", *map_out);
  }
  return (int)returns(ok);
}

int dmap_get_a(struct DoubleMap *map, void *key, int *index) {
  begin("dmap_get_a");
  object("map", map);
  key_bytes("key", key, &object_at(map)->key);
  int found = scripted ? (int)answer("dmap_get_a", index, sizeof(*index)) : real_dmap_get_a(map, key, index);
  if (found) {
    integer("index", *index);
  }
  return (int)returns(found);
}

int dmap_get_b(struct DoubleMap *map, void *key, int *index) {
  begin("dmap_get_b");
  object("map", map);
  key_bytes("key", key, &object_at(map)->key_b);
  int found = scripted ? (int)answer("dmap_get_b", index, sizeof(*index)) : real_dmap_get_b(map, key, index);
  if (found) {
    integer("index", *index);
  }
  return (int)returns(found);
}

int dmap_put(struct DoubleMap *map, void *value, int index) {
  begin("dmap_put");
  object("map", map);
  bytes("value", value, object_at(map)->elem_size);
  integer("index", index);
  return (int)returns(scripted ? 1 : real_dmap_put(map, value, index));
}

void dmap_get_value(struct DoubleMap *map, int index, void *value_out) {
  unsigned value_size = object_at(map)->elem_size;
  begin("dmap_get_value");
  object("map", map);
  integer("index", index);
  if (scripted) {
    answer("dmap_get_value", value_out, value_size);
  } else {
    real_dmap_get_value(map, index, value_out);
  }
  bytes("value_out", value_out, value_size);
  returns_nothing();
}

int dmap_erase(struct DoubleMap *map, int index) {
  begin("dmap_erase");
  object("map", map);
  integer("index", index);
  return (int)returns(scripted ? 1 : real_dmap_erase(map, index));
}

unsigned dmap_size(struct DoubleMap *map) {
  begin("dmap_size");
  object("map", map);
  return (unsigned)returns(scripted ? answer("dmap_size", NULL, 0) : real_dmap_size(map));
}

// ---- Expiry

int expire_items(struct DoubleChain *chain, struct DoubleMap *map, vigor_time_t time) {
  begin("expire_items");
  object("chain", chain);
  object("map", map);
  integer("time", time);
  return (int)returns(scripted ? answer("expire_items", NULL, 0) : real_expire_items(chain, map, time));
}

int expire_items_single_map(struct DoubleChain *chain, struct Vector *vector, struct Map *map, vigor_time_t time) {
  begin("expire_items_single_map");
  object("chain", chain);
  object("vector", vector);
  object("map", map);
  integer("time", time);
  return (int)returns(scripted ? answer("expire_items_single_map", NULL, 0)
                               : real_expire_items_single_map(chain, vector, map, time));
}

int expire_items_single_map_iteratively(struct Vector *vector, struct Map *map, int start, int end) {
  begin("expire_items_single_map_iteratively");
  object("vector", vector);
  object("map", map);
  integer("start", start);
  integer("n_elems", end);
  return (int)returns(scripted ? answer("expire_items_single_map_iteratively", NULL, 0)
                               : real_expire_items_single_map_iteratively(vector, map, start, end));
}

// ---- Consistent hashing

int cht_fill_cht(struct Vector *cht, uint32_t cht_height, uint32_t backend_capacity) {
  begin("cht_fill_cht");
  object("cht", cht);
  integer("cht_height", cht_height);
  integer("backend_capacity", backend_capacity);
  return (int)returns(real_cht_fill_cht(cht, cht_height, backend_capacity));
}

int cht_find_preferred_available_backend(uint64_t hash, struct Vector *cht, struct DoubleChain *active_backends,
                                         uint32_t cht_height, uint32_t backend_capacity, int *chosen_backend) {
  static const char name[] = "cht_find_preferred_available_backend";
  begin(name);
  integer("hash", (int64_t)hash);
  object("cht", cht);
  object("active_backends", active_backends);
  integer("cht_height", cht_height);
  integer("backend_capacity", backend_capacity);
  int found = scripted ? (int)answer(name, chosen_backend, sizeof(*chosen_backend))
                       : real_cht_find_preferred_available_backend(hash, cht, active_backends, cht_height,
                                                                   backend_capacity, chosen_backend);
  if (found) {
    integer("chosen_backend", *chosen_backend);
  }
  return (int)returns(found);
}

// ---- Longest prefix match

int lpm_allocate(struct lpm **lpm_out) {
  begin("lpm_allocate");
  integer("lpm_out", (intptr_t)lpm_out);
  int ok = real_lpm_allocate(lpm_out);
  if (ok) {
    new_object(*lpm_out);
    object("object", *lpm_out);
  }
  return (int)returns(ok);
}

void lpm_free(struct lpm *lpm) {
  begin("lpm_free");
  object("lpm", lpm);
  object_at(lpm)->address = NULL; // its address may come back as another object's
  real_lpm_free(lpm);
  returns_nothing();
}

int lpm_update_elem(struct lpm *lpm, uint32_t prefix, uint8_t prefixlen, uint16_t value) {
  begin("lpm_update_elem");
  object("lpm", lpm);
  integer("prefix", prefix);
  integer("prefixlen", prefixlen);
  integer("value", value);
  return (int)returns(scripted ? answer("lpm_update_elem", NULL, 0)
                               : real_lpm_update_elem(lpm, prefix, prefixlen, value));
}

int lpm_lookup_elem(struct lpm *lpm, uint32_t address) {
  begin("lpm_lookup_elem");
  object("lpm", lpm);
  integer("prefix", address);
  return (int)returns(scripted ? answer("lpm_lookup_elem", NULL, 0) : real_lpm_lookup_elem(lpm, address));
}

// ---- Sketches

int sketch_allocate(map_key_hash *khash, uint32_t capacity, uint16_t threshold, struct Sketch **sketch_out) {
  begin("sketch_allocate");
  function_pointer("khash", khash);
  integer("capacity", capacity);
  integer("threshold", threshold);
  integer("sketch_out", (intptr_t)sketch_out);
  int ok = real_sketch_allocate(khash, capacity, threshold, sketch_out);
  if (ok) {
    struct object *sketch = new_object(*sketch_out);
    find_key_by_hash(khash, &sketch->key);
    bytes("key_mask", sketch->key.mask, sketch->key.size);
    object("object", *sketch_out);
  }
  return (int)returns(ok);
}

void sketch_compute_hashes(struct Sketch *sketch, void *key) {
  begin("sketch_compute_hashes");
  object("sketch", sketch);
  key_bytes("key", key, &object_at(sketch)->key);
  if (!scripted) {
    real_sketch_compute_hashes(sketch, key);
  }
  returns_nothing();
}

void sketch_refresh(struct Sketch *sketch, vigor_time_t now) {
  begin("sketch_refresh");
  object("sketch", sketch);
  integer("now", now);
  if (!scripted) {
    real_sketch_refresh(sketch, now);
  }
  returns_nothing();
}

int sketch_fetch(struct Sketch *sketch) {
  begin("sketch_fetch");
  object("sketch", sketch);
  return (int)returns(scripted ? answer("sketch_fetch", NULL, 0) : real_sketch_fetch(sketch));
}

int sketch_touch_buckets(struct Sketch *sketch, vigor_time_t now) {
  begin("sketch_touch_buckets");
  object("sketch", sketch);
  integer("now", now);
  return (int)returns(scripted ? answer("sketch_touch_buckets", NULL, 0) : real_sketch_touch_buckets(sketch, now));
}

void sketch_expire(struct Sketch *sketch, vigor_time_t time) {
  begin("sketch_expire");
  object("sketch", sketch);
  integer("time", time);
  if (!scripted) {
    real_sketch_expire(sketch, time);
  }
  returns_nothing();
}

int cms_allocate(uint32_t height, uint32_t width, uint32_t key_size, vigor_time_t cleanup_interval,
                 struct CMS **cms_out) {
  begin("cms_allocate");
  integer("height", height);
  integer("width", width);
  integer("key_size", key_size);
  integer("cleanup_interval", cleanup_interval);
  integer("cms_out", (intptr_t)cms_out);
  int ok = real_cms_allocate(height, width, key_size, cleanup_interval, cms_out);
  if (ok) {
    find_key_by_size(key_size, &new_object(*cms_out)->key);
    object("object", *cms_out);
  }
  return (int)returns(ok);
}

void cms_increment(struct CMS *cms, void *key) {
  begin("cms_increment");
  object("cms", cms);
  key_bytes("key", key, &object_at(cms)->key);
  if (!scripted) {
    real_cms_increment(cms, key);
  }
  returns_nothing();
}

uint64_t cms_count_min(struct CMS *cms, void *key) {
  begin("cms_count_min");
  object("cms", cms);
  key_bytes("key", key, &object_at(cms)->key);
  return (uint64_t)returns(scripted ? answer("cms_count_min", NULL, 0) : (int64_t)real_cms_count_min(cms, key));
}

int cms_periodic_cleanup(struct CMS *cms, vigor_time_t now) {
  begin("cms_periodic_cleanup");
  object("cms", cms);
  integer("now", now);
  return (int)returns(scripted ? answer("cms_periodic_cleanup", NULL, 0) : real_cms_periodic_cleanup(cms, now));
}

// ---- Token buckets

int tb_allocate(uint32_t capacity, uint64_t rate, uint64_t burst, uint32_t key_size, struct TokenBucket **tb_out) {
  begin("tb_allocate");
  integer("capacity", capacity);
  integer("rate", (int64_t)rate);
  integer("burst", (int64_t)burst);
  integer("key_size", key_size);
  integer("tb_out", (intptr_t)tb_out);
  int ok = real_tb_allocate(capacity, rate, burst, key_size, tb_out);
  if (ok) {
    find_key_by_size(key_size, &new_object(*tb_out)->key);
    object("object", *tb_out);
  }
  return (int)returns(ok);
}

int tb_is_tracing(struct TokenBucket *tb, void *key, int *index_out) {
  begin("tb_is_tracing");
  object("tb", tb);
  key_bytes("key", key, &object_at(tb)->key);
  int found = scripted ? (int)answer("tb_is_tracing", index_out, sizeof(*index_out))
                       : real_tb_is_tracing(tb, key, index_out);
  if (found) {
    integer("index_out", *index_out);
  }
  return (int)returns(found);
}

int tb_trace(struct TokenBucket *tb, void *key, uint16_t pkt_len, vigor_time_t time, int *index_out) {
  begin("tb_trace");
  object("tb", tb);
  key_bytes("key", key, &object_at(tb)->key);
  integer("pkt_len", pkt_len);
  integer("time", time);
  int ok = scripted ? (int)answer("tb_trace", index_out, sizeof(*index_out))
                    : real_tb_trace(tb, key, pkt_len, time, index_out);
  if (ok) {
    integer("index_out", *index_out);
  }
  return (int)returns(ok);
}

int tb_update_and_check(struct TokenBucket *tb, int index, uint16_t pkt_len, vigor_time_t time) {
  begin("tb_update_and_check");
  object("tb", tb);
  integer("index", index);
  integer("pkt_len", pkt_len);
  integer("time", time);
  return (int)returns(scripted ? answer("tb_update_and_check", NULL, 0)
                               : real_tb_update_and_check(tb, index, pkt_len, time));
}

int tb_expire(struct TokenBucket *tb, vigor_time_t time) {
  begin("tb_expire");
  object("tb", tb);
  integer("time", time);
  return (int)returns(scripted ? answer("tb_expire", NULL, 0) : real_tb_expire(tb, time));
}

// ---- Hashes: pure, so never scripted; also called from within map operations, as part of a key's hash

unsigned hash_obj(void *obj, unsigned size) {
  if (in_call || !recording) {
    return real_hash_obj(obj, size);
  }
  begin("hash_obj");
  bytes("obj", obj, size);
  return (unsigned)returns(real_hash_obj(obj, size));
}

// ---- Packets: chunks are logged by their offset from the start of the packet

static void chunk_at(const void *packet, const void *chunk, size_t length) {
  integer("chunk", (const char *)chunk - (const char *)packet);
  bytes("bytes", chunk, length);
}

void packet_borrow_next_chunk(void *p, size_t length, void **chunk) {
  begin("packet_borrow_next_chunk");
  integer("length", (int64_t)length);
  real_packet_borrow_next_chunk(p, length, chunk);
  chunk_at(p, *chunk, length);
  returns_nothing();
}

void packet_return_chunk(void *p, void *chunk) {
  if (!recording) { // the main loop's
    real_packet_return_chunk(p, chunk);
    return;
  }
  begin("packet_return_chunk");
  integer("chunk", (char *)chunk - (char *)p);
  real_packet_return_chunk(p, chunk);
  returns_nothing();
}

uint32_t packet_get_unread_length(void *p) {
  begin("packet_get_unread_length");
  return (uint32_t)returns(real_packet_get_unread_length(p));
}

void packet_shrink_chunk(void **p, size_t length, void **chunks, size_t num_chunks, struct rte_mbuf *mbuf) {
  begin("packet_shrink_chunk");
  integer("length", (int64_t)length);
  integer("num_chunks", (int64_t)num_chunks);
  real_packet_shrink_chunk(p, length, chunks, num_chunks, mbuf);
  returns_nothing();
}

void packet_insert_new_chunk(void **p, size_t length, void **chunks, size_t *num_chunks, struct rte_mbuf *mbuf) {
  begin("packet_insert_new_chunk");
  integer("length", (int64_t)length);
  real_packet_insert_new_chunk(p, length, chunks, num_chunks, mbuf);
  integer("num_chunks", (int64_t)*num_chunks);
  returns_nothing();
}
