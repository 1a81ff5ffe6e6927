package jvm

import "fmt"

// The flags that the options of the heap stand for, by which their settings
// are remembered.
const (
	maxHeap     = "MaxHeapSize"
	initialHeap = "InitialHeapSize"
	stack       = "ThreadStackSize"
	codeCache   = "ReservedCodeCacheSize"
)

// Least and greatest sizes. A JVM on another processor than x86-64 may want more stack.
const (
	leastMaxHeap     = 2 << 20
	leastInitialHeap = 1 << 20
	leastStack       = 136 << 10
	mostStack        = 1 << 30
	mostCodeCache    = 2 << 30
)

// shares are the flags that size the heap by the machine's memory, which a
// stated size overrides. InitialRAMPercentage is none: it sizes the start.
var shares = []string{"MaxRAMPercentage", "MaxRAMFraction", "MinRAMPercentage", "MinRAMFraction"}

// checkHeap compares the sizes that stand at the end of the line.
func (l *linter) checkHeap() {
	most, stated := l.set[maxHeap]
	if stated && most.number < leastMaxHeap {
		l.report(most.index, Error, ruleRange, "a heap must have 2m at least")
	}
	for _, name := range []string{initialHeap, "MinHeapSize"} {
		s, ok := l.set[name]
		if ok && s.number > 0 && s.number < leastInitialHeap {
			l.report(s.index, Error, ruleRange, "a heap must begin with 1m at least")
		}
		if ok && stated && s.number > most.number {
			f := l.report(s.index, Error, ruleInitial, "the heap cannot begin with more than its most, "+l.name(most.index))
			f.Other, f.Hint = most.index, "lower the one or raise the other"
		}
	}
	if stated {
		for _, name := range shares {
			if s, ok := l.set[name]; ok {
				f := l.warn(s.index, ruleHeapTwice, "it has no effect beside "+l.name(most.index))
				f.Other, f.Hint = most.index, "say the heap's size once"
			}
		}
	}
	l.checkMemory(most)
}

// checkMemory compares the heap with the node. A JVM takes the memory it
// begins with at once, and the rest as it grows.
func (l *linter) checkMemory(most setting) {
	if l.Memory <= 0 {
		return
	}
	memory := uint64(l.Memory)
	if first := l.set[initialHeap]; first.number > memory {
		f := l.report(first.index, Error, ruleMemory, "the node's memory is "+sizeText(memory))
		f.Message = fmt.Sprintf("JVM %d does not start with %s: the heap's first memory does not fit into the node's %s", l.Version, l.name(first.index), sizeText(memory))
		f.Hint = "lower it, or give the job a bigger node"
		return
	}
	if most.number > memory {
		f := l.warn(most.index, ruleMemory, "the JVM starts, but the heap cannot grow to it in the node's "+sizeText(memory))
		f.Hint = "lower it, or give the job a bigger node"
	}
}

// stackSize judges the size of a thread's stack, in bytes.
func (l *linter) stackSize(i int, n uint64) {
	switch {
	case n > 0 && n <= leastStack-1<<10: // the JVM rounds up to KB
		l.report(i, Error, ruleRange, "a thread's stack must have 136k at least")
	case n > mostStack:
		l.report(i, Error, ruleRange, "a thread's stack may have 1g at most")
	}
}

// codeCacheSize judges the size of the memory for compiled code, in bytes. Its
// limit stands in no range that a JVM prints.
func (l *linter) codeCacheSize(i int, n uint64) {
	if n > mostCodeCache {
		l.report(i, Error, ruleRange, "compiled code may have 2g at most")
	}
}
