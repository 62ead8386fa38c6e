// The parser knows bool, true and false; as macros they would only blur positions.
#pragma once
#define __bool_true_false_are_defined 1
