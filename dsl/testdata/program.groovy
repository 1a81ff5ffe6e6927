// program.groovy FILE: writes a jar whose program says what it was given.
//
// It prints three java.util.Properties: its arguments (0, 1, … and jvm, the
// JVM's own, a line each), its environment, and its system properties. Then
// it exits with the code that the system property exit holds. None of the
// JVMs in the tests has a compiler, hence the bytecode.
import static groovyjarjarasm.asm.Opcodes.*
import groovyjarjarasm.asm.ClassWriter
import groovyjarjarasm.asm.Label
import java.util.jar.*

def cw = new ClassWriter(ClassWriter.COMPUTE_MAXS)
cw.visit(V1_5, ACC_PUBLIC, 'Show', null, 'java/lang/Object', null)
def m = cw.visitMethod(ACC_PUBLIC | ACC_STATIC, 'main', '([Ljava/lang/String;)V', null, ['java/lang/Exception'] as String[])
def call = { int how, String owner, String name, String type -> m.visitMethodInsn(how, owner, name, type, how == INVOKEINTERFACE) }
def fresh = {
  m.visitTypeInsn(NEW, 'java/util/Properties')
  m.visitInsn(DUP)
  call(INVOKESPECIAL, 'java/util/Properties', '<init>', '()V')
  m.visitVarInsn(ASTORE, 1)
}
def store = { String title ->
  m.visitFieldInsn(GETSTATIC, 'java/lang/System', 'out', 'Ljava/io/PrintStream;')
  m.visitLdcInsn(title)
  call(INVOKEVIRTUAL, 'java/util/Properties', 'store', '(Ljava/io/OutputStream;Ljava/lang/String;)V')
}
m.visitCode()
fresh()
m.visitInsn(ICONST_0)
m.visitVarInsn(ISTORE, 2)
def again = new Label(), done = new Label()
m.visitLabel(again)
m.visitVarInsn(ILOAD, 2)
m.visitVarInsn(ALOAD, 0)
m.visitInsn(ARRAYLENGTH)
m.visitJumpInsn(IF_ICMPGE, done)
m.visitVarInsn(ALOAD, 1)
m.visitVarInsn(ILOAD, 2)
call(INVOKESTATIC, 'java/lang/String', 'valueOf', '(I)Ljava/lang/String;')
m.visitVarInsn(ALOAD, 0)
m.visitVarInsn(ILOAD, 2)
m.visitInsn(AALOAD)
call(INVOKEVIRTUAL, 'java/util/Properties', 'setProperty', '(Ljava/lang/String;Ljava/lang/String;)Ljava/lang/Object;')
m.visitInsn(POP)
m.visitIincInsn(2, 1)
m.visitJumpInsn(GOTO, again)
m.visitLabel(done)
m.visitVarInsn(ALOAD, 1)
m.visitLdcInsn('jvm')
m.visitLdcInsn('\n')
call(INVOKESTATIC, 'java/lang/management/ManagementFactory', 'getRuntimeMXBean', '()Ljava/lang/management/RuntimeMXBean;')
call(INVOKEINTERFACE, 'java/lang/management/RuntimeMXBean', 'getInputArguments', '()Ljava/util/List;')
call(INVOKESTATIC, 'java/lang/String', 'join', '(Ljava/lang/CharSequence;Ljava/lang/Iterable;)Ljava/lang/String;')
call(INVOKEVIRTUAL, 'java/util/Properties', 'setProperty', '(Ljava/lang/String;Ljava/lang/String;)Ljava/lang/Object;')
m.visitInsn(POP)
m.visitVarInsn(ALOAD, 1)
store('arguments')
fresh()
m.visitVarInsn(ALOAD, 1)
call(INVOKESTATIC, 'java/lang/System', 'getenv', '()Ljava/util/Map;')
call(INVOKEVIRTUAL, 'java/util/Properties', 'putAll', '(Ljava/util/Map;)V')
m.visitVarInsn(ALOAD, 1)
store('environment')
call(INVOKESTATIC, 'java/lang/System', 'getProperties', '()Ljava/util/Properties;')
store('properties')
m.visitLdcInsn('exit')
m.visitInsn(ICONST_0)
call(INVOKESTATIC, 'java/lang/Integer', 'getInteger', '(Ljava/lang/String;I)Ljava/lang/Integer;')
call(INVOKEVIRTUAL, 'java/lang/Integer', 'intValue', '()I')
call(INVOKESTATIC, 'java/lang/System', 'exit', '(I)V')
m.visitInsn(RETURN)
m.visitMaxs(0, 0)
m.visitEnd()
cw.visitEnd()

def manifest = new Manifest()
manifest.mainAttributes.put(Attributes.Name.MANIFEST_VERSION, '1.0')
manifest.mainAttributes.put(Attributes.Name.MAIN_CLASS, 'Show')
def jar = new JarOutputStream(new FileOutputStream(args[0]), manifest)
jar.putNextEntry(new JarEntry('Show.class'))
jar.write(cw.toByteArray())
jar.close()
