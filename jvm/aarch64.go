package jvm

// aarch64Flags are flags that only a JVM on AArch64 has. The JVMs that the
// table was made from run on x86-64 and refuse them, and a job's node may be
// either, so Lint must not say that the JVM refuses them. Source: globals_aarch64.hpp
// of OpenJDK 11, 17 and 21.
var aarch64Flags = map[string]bool{
	"AvoidUnalignedAccesses": true, "BlockZeroingLowLimit": true, "NearCpool": true, "NeoverseN1ICacheErratumMitigation": true,
	"OnSpinWaitInst": true, "OnSpinWaitInstCount": true, "SoftwarePrefetchHintDistance": true, "TraceTraps": true,
	"UseBarriersForVolatile": true, "UseBlockZeroing": true, "UseBranchProtection": true, "UseCRC32": true,
	"UseCryptoPmullForCRC32": true, "UseLSE": true, "UseNeon": true, "UseSIMDForArrayEquals": true,
	"UseSIMDForBigIntegerShiftIntrinsics": true, "UseSIMDForMemoryOps": true, "UseSVE": true, "UseSimpleArrayEquals": true,
	"UseSingleICacheInvalidation": true,
}
