// What libVig's files share with each other beyond its interface. NFs never free a structure; structures made
// of others do, when their own allocation fails half-way.
#ifndef LIBVIG_INTERNAL_H
#define LIBVIG_INTERNAL_H

struct DoubleChain;
struct Map;

void map_free(struct Map *map);
void dchain_free(struct DoubleChain *chain);

#endif
