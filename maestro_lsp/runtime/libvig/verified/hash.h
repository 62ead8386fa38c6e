// Hash of any object, byte by byte: padding counts.
#ifndef LIBVIG_HASH_H
#define LIBVIG_HASH_H

unsigned hash_obj(void *obj, unsigned size);

#endif
