// SPDX-License-Identifier: GPL-2.0
/* Finds one word of a frame, or one instruction of a function, at run time. */
#include <linux/errno.h>

#include "vandal.h"

#define LONGEST_FUNCTION 1024

static bool is_canary_compare(const u8 *code)
{
	/* sub %gs:0x28, %rax or %rdx */
	return code[0] == 0x65 && code[1] == 0x48 && code[2] == 0x2b && (code[3] == 0x04 || code[3] == 0x14) &&
	       code[4] == 0x25 && code[5] == 0x28 && !code[6] && !code[7] && !code[8];
}

void *find_canary_check(void *function)
{
	u8 *code = function;
	int i;

	for (i = 16; i < LONGEST_FUNCTION; i++) {
		if (!is_canary_compare(code + i))
			continue;
		/* mov disp32(%rsp), mov disp8(%rsp), mov disp8(%rbp) */
		if (code[i - 8] == 0x48 && code[i - 7] == 0x8b && (code[i - 6] & 0xc7) == 0x84 && code[i - 5] == 0x24)
			return code + i - 8;
		if (code[i - 5] == 0x48 && code[i - 4] == 0x8b && (code[i - 3] & 0xc7) == 0x44 && code[i - 2] == 0x24)
			return code + i - 5;
		if (code[i - 4] == 0x48 && code[i - 3] == 0x8b && (code[i - 2] & 0xc7) == 0x45)
			return code + i - 4;
		return NULL;
	}
	return NULL;
}

long bytes_to_return(const void *buffer, const void *caller)
{
	const u8 *word = PTR_ALIGN(buffer, 8);
	int i;

	for (i = 0; i < 64; i++, word += 8) {
		unsigned long value = *(const unsigned long *)word;

		if (value > (unsigned long)caller && value < (unsigned long)caller + LONGEST_FUNCTION)
			return word - (const u8 *)buffer;
	}
	return -ENOENT;
}
