/* SPDX-License-Identifier: BSD-2-Clause */
/* What one event does to the state, and which facts it raises. */
#ifndef NWV_CHECK_STEP_H
#define NWV_CHECK_STEP_H

#include "rule.h"

/* step_entry.c */
void nwv_step_read(struct nwv_check *c, const struct nwv_event *e);
void nwv_step_init(struct nwv_check *c, const struct nwv_event *e);
void nwv_step_write(struct nwv_check *c, const struct nwv_event *e,
		    enum nwv_store store);
void nwv_step_write_failed(struct nwv_check *c, const struct nwv_event *e);
void nwv_step_entry_lock(struct nwv_check *c, const struct nwv_event *e);
void nwv_step_hw_update(struct nwv_check *c, const struct nwv_event *e);

/* step_link.c: pages enter and leave a table */

/* The root is in use from now on: link what its maker put in. */
void nwv_root_close(struct nwv_check *c, uint16_t root);
/* A valid entry of a reachable page: judge it, and link what hangs below. */
void nwv_reach(struct nwv_check *c, struct nwv_page *p, unsigned index,
	       uint64_t value, enum nwv_store store);
/* Everything below the table entry `value` is unreachable; ob: what its
 * unlinking armed, 0 for nothing. */
void nwv_unlink_below(struct nwv_check *c, uint16_t root, uint64_t value,
		      uint32_t ob);
/* The page's parent was not only locked: what is put there now is lost. */
void nwv_unlink_for_good(struct nwv_check *c, struct nwv_page *head);
/* Do the tables below `table` translate exactly as the block did? */
int nwv_table_is_block(struct nwv_check *c, const struct nwv_shape *s,
		       unsigned level, uint64_t block, uint64_t table);
/* The entry over `ia` in the tables below `value`, at `level` or where the
 * walk ends above it. *found is that level. */
uint64_t nwv_entry_below(const struct nwv_check *c, const struct nwv_shape *s,
			 unsigned from, uint64_t value, unsigned level,
			 uint64_t ia, unsigned *found);

/* step_page.c */
void nwv_step_alloc(struct nwv_check *c, const struct nwv_event *e);
void nwv_step_unlink(struct nwv_check *c, const struct nwv_event *e);
void nwv_step_free(struct nwv_check *c, const struct nwv_event *e);
void nwv_step_table_init(struct nwv_check *c, const struct nwv_event *e);
void nwv_step_table_free(struct nwv_check *c, const struct nwv_event *e);
void nwv_step_root_switch(struct nwv_check *c, const struct nwv_event *e);
void nwv_step_frame_reuse(struct nwv_check *c, const struct nwv_event *e);
void nwv_step_owner(struct nwv_check *c, const struct nwv_event *e);

/* step_sync.c */
void nwv_step_tlbi(struct nwv_check *c, const struct nwv_event *e);
void nwv_step_barrier(struct nwv_check *c, const struct nwv_event *e);
void nwv_step_lock(struct nwv_check *c, const struct nwv_event *e);
void nwv_step_unlock(struct nwv_check *c, const struct nwv_event *e);
void nwv_step_word(struct nwv_check *c, const struct nwv_event *e);
void nwv_step_section(struct nwv_check *c, const struct nwv_event *e);
void nwv_step_notify(struct nwv_check *c, const struct nwv_event *e);

#endif
