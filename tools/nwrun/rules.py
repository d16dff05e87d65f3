# SPDX-License-Identifier: BSD-2-Clause
"""
What must add up at the end of a run. Each rule is data: left side, relation,
right side, meaning. A rule over a counter that the mailbox does not have is a
problem too, not a rule that passes.
"""
from .console import fields
from .qemu import FORBIDDEN

EQUAL, AT_MOST = "=", "<="

# Sums of counters; a number stands for itself.
RULES = (
    ("ram_faults", EQUAL, ("maps_block", "maps_page"),
     "each RAM fault maps one leaf"),
    ("faults", EQUAL, ("ram_faults", "device_maps", "spurious",
                       "aborts_injected", "fault_retries", "fault_parks",
                       "fault_raced", "fault_busy", "permission_faults",
                       "access_faults"),
     "each fault has one outcome"),
    ("faults", EQUAL, ("fault_reads", "fault_writes", "fault_execs",
                       "fault_retries"),
     "each resolved fault has one kind"),
    ("faults", EQUAL, ("level_minus_1", "level_0", "level_1", "level_2",
                       "level_3"),
     "each fault has one level"),
    ("tables_allocated", EQUAL, ("tables_freed", "tables_live"),
     "a table page is freed or live"),
    ("tables_live", EQUAL, (0,), "power-off leaves no table page"),
    ("walk_mismatches", EQUAL, (0,),
     "each leaf is where the frame array says"),
    ("frames_lost", EQUAL, (0,), "no frame is lost"),
    ("frames_twice", EQUAL, (0,), "no frame backs two pages"),
    ("poison_damaged", EQUAL, (0,), "nobody writes to a frame that was left"),
    ("frames_poisoned", EQUAL, ("migrations",),
     "each migration poisons the old frame"),
    ("frames_reused", AT_MOST, ("frames_poisoned",),
     "only poisoned frames are reused"),
    ("table_folds", EQUAL, ("collapses", "reclaims"),
     "each fold of a table is a block formed anew or an empty table freed"),
    ("splits", AT_MOST, ("table_splits",), "each split is one of the table's"),
    ("dirty_sampled", EQUAL, ("dirty_verified", "dirty_written",
                              "dirty_missed"),
     "each page compared has one verdict"),
    ("dirty_missed", EQUAL, (0,),
     "each page that the guest wrote is in the harvest after"),
    ("dirty_changed", AT_MOST, ("dirty_written",),
     "a page in the harvest may have changed"),
    ("aborts_carveout", AT_MOST, ("aborts_injected",),
     "a carve-out access is an injected abort"),
    ("fault_s1_walks", AT_MOST, ("faults",), "a walk fault is a fault"),
    ("fault_permission", AT_MOST, ("faults",), "a permission fault is a fault"),
    ("permission_faults", AT_MOST, ("fault_permission",),
     "a repaired permission fault is a permission fault"),
    ("tables_live", AT_MOST, ("tables_peak",), "the peak is a peak"),
    ("tables_peak", AT_MOST, ("tables_allocated",), "the peak was allocated"),
)


def value(counters, term):
    return term if isinstance(term, int) else counters[term]


def check(counters):
    """The rules that `counters` ({name: int}) break, one line each."""
    problems = []
    for left, relation, right, meaning in RULES:
        terms = [left] + [t for t in right if isinstance(t, str)]
        missing = [t for t in terms if t not in counters]
        if missing:
            problems.append("no counter %s: cannot tell whether %s"
                            % (", ".join(missing), meaning))
            continue
        have = counters[left]
        want = sum(value(counters, t) for t in right)
        if have == want or (relation == AT_MOST and have < want):
            continue
        problems.append("%s %d %s %s = %d is not so: %s" % (
            left, have, relation, " + ".join(str(t) for t in right), want,
            meaning))
    return problems


def check_probes(snapshot, console, forbidden):
    """Each forbidden address that the guest touched was refused by us."""
    carveout, device = (len(part) for part in forbidden)
    told = int(fields(console.verdict).get("probes", 0))
    if told == 0:
        return []       # a guest of the caller's own, or one that died early
    problems = []
    if told != carveout + device:
        problems.append("the guest was refused %d forbidden addresses of %d"
                        % (told, carveout + device))
    if snapshot.get("aborts_carveout") < carveout:
        problems.append("the guest touched the carve-out %d times, %d aborts "
                        "were injected for it" % (
                            carveout, snapshot.get("aborts_carveout")))
    return problems


# After so many harvests a guest has written some page that was looked at.
DIRTY_ROUNDS_ENOUGH = 10


def check_dirty(options, snapshot):
    """The log was kept as asked, and its proof had something to prove."""
    rounds = snapshot.get("dirty_rounds")
    if options.dirty == "off":
        return ["writes were logged although that was off"] if rounds else []
    if snapshot.state == "guest_off" and not rounds:
        return ["the log of the guest's writes was never harvested"]
    problems = []
    if rounds >= DIRTY_ROUNDS_ENOUGH:
        for name, what in (("dirty_changed", "written"),
                           ("dirty_verified", "left alone")):
            if not snapshot.get(name):
                problems.append("of the pages that were compared the guest "
                                "has %s none: the log was not tried" % what)
    return problems


def check_run(options, snapshot, console):
    """
    Everything that keeps a finished run from being good, one line each:
    the hypervisor's end, its counters, and what was asked for.
    """
    if options.plain:
        return []
    if snapshot is None:
        return ["the hypervisor never wrote its mailbox"]
    problems = []
    if snapshot.state != "guest_off":
        problems.append("hypervisor ended in state '%s' (phase '%s'), not "
                        "'guest_off'" % (snapshot.state, snapshot.phase))
    if snapshot.state in ("guest_off", "guest_reset"):
        problems += check(snapshot.counters)
    header = snapshot.header
    if header["guest_cpus"] != options.cpus:
        problems.append("hypervisor shows %d CPUs, %d were asked for"
                        % (header["guest_cpus"], options.cpus))
    if console.cpus() and console.cpus() != options.cpus:
        problems.append("the guest counts %d CPUs, %d were asked for"
                        % (console.cpus(), options.cpus))
    if header["sabotage"] != options.sabotage:
        problems.append("hypervisor was built with sabotage '%s', '%s' was "
                        "asked for" % (header["sabotage"], options.sabotage))
    problems += check_probes(snapshot, console, FORBIDDEN)
    problems += check_dirty(options, snapshot)
    if options.shake and not snapshot.get("migrations"):
        problems.append("the shaker moved no page")
    if not options.shake and snapshot.get("migrations"):
        problems.append("pages moved although shaking was off")
    return problems
