// Empty: Vigor's NFs include this file of proofs from their generated loop.h, and compilers see nothing in it.
