// evaluate.groovy: what the Groovy inside Jenkins makes of rendered text.
//
// Reads tasks as a JSON list from the file named by the first argument, and
// writes one line of JSON for each: {"value": …} or {"error": …}.
//   literals  expressions, evaluated together; the UTF-16 units of each in hex
//   dsl       Job DSL; the calls that it makes, as a tree
//   job       Job DSL of one job; its calls, and the steps that its Pipeline
//             takes when they end as the task's outcomes say: with an exit
//             code, "lost" or "aborted"
//   pipeline  a Pipeline alone
import groovy.json.JsonOutput
import groovy.json.JsonSlurper

class Cut extends InterruptedException {
  final String kind
  Cut(String kind) { super(kind); this.kind = kind }
}

// Records the calls of a Job DSL script; a closure is run, and what it calls
// becomes the children of its call.
class Recorder {
  List calls = []
  def methodMissing(String name, args) {
    def call = [name: name, args: args.findAll { !(it instanceof Closure) }.collect { it instanceof GString ? it.toString() : it }]
    if (args && args[-1] instanceof Closure && name != 'configure') {
      def inner = new Recorder()
      def body = args[-1].clone()
      body.delegate = inner
      body.resolveStrategy = Closure.DELEGATE_ONLY
      body()
      call.calls = inner.calls
    }
    calls << call
    null
  }
  def propertyMissing(String name) { throw new MissingPropertyException(name, Recorder) }
}

abstract class DslScript extends Script {
  def methodMissing(String name, args) { binding.getVariable('recorder').methodMissing(name, args) }
}

// Takes the steps of a Pipeline as Jenkins does, as far as a job uses them.
abstract class PipelineScript extends Script {
  def note(Map event) { binding.getVariable('events') << event }
  def block(String step, argument, Closure body) {
    note(step: step, argument: argument)
    def value = body()
    def outcomes = binding.getVariable('outcomes')
    if (step == 'withCredentials' && outcomes && outcomes[0] == 'lost at its end') throw new Cut('lost')
    note(step: 'end ' + step)
    value
  }
  def node(String label, Closure body) { block('node', label, body) }
  def withCredentials(List bindings, Closure body) { block('withCredentials', bindings, body) }
  def withEnv(List variables, Closure body) { block('withEnv', variables, body) }
  def timeout(Map m, Closure body) { block('timeout', m, body) }
  def string(Map m) { [kind: 'string'] + m }
  def file(Map m) { [kind: 'file'] + m }
  def usernamePassword(Map m) { [kind: 'usernamePassword'] + m }
  def agent() { 'agent' }
  def nonresumable() { 'nonresumable' }
  def echo(String message) { note(step: 'echo', argument: message) }
  def error(String message) { throw new RuntimeException('error: ' + message) }
  def archiveArtifacts(Map m) {
    note(step: 'archiveArtifacts', argument: m)
    end('archive')
  }
  def sh(Map m) {
    note(step: 'sh', argument: m)
    end(0)
  }
  def checkout(scm) { note(step: 'checkout', argument: scm) }
  def junit(Map m) { throw new NoSuchMethodError("No such DSL method 'junit' found among steps") } // the plugin is not there
  def jobDsl(Map m) { note(step: 'jobDsl', argument: m) }
  def end(other) {
    def outcomes = binding.getVariable('outcomes')
    def outcome = outcomes ? outcomes.remove(0) : other
    if (outcome in ['lost', 'aborted']) throw new Cut(outcome)
    outcome
  }
  def retry(Map m, Closure body) {
    note(step: 'retry', argument: m)
    for (int attempt = 1; ; attempt++) {
      try {
        body()
        return
      } catch (Cut e) {
        if (e.kind != 'lost' || attempt >= m.count) throw e
        note(step: 'again')
      }
    }
  }
}

def shell(Class base, Map variables) {
  def configuration = new org.codehaus.groovy.control.CompilerConfiguration()
  configuration.scriptBaseClass = base.name
  new GroovyShell(DslScript.classLoader, new Binding(variables), configuration)
}

def calls(String text) {
  def recorder = new Recorder()
  shell(DslScript, [recorder: recorder]).evaluate(text)
  recorder.calls
}

def pipeline(String text, outcomes) {
  def events = []
  def result = 'success'
  def parameters = [:].withDefault { '<' + it + '>' }
  try {
    shell(PipelineScript, [events: events, outcomes: outcomes as List, currentBuild: [number: 7], params: parameters, scm: 'scm']).evaluate(text)
  } catch (Cut e) {
    result = e.kind
  } catch (RuntimeException e) {
    if (!e.message?.startsWith('error: ')) throw e
    result = e.message
  }
  [events: events, result: result]
}

def run(task) {
  switch (task.kind) {
    case 'literals':
      def values = new GroovyShell().evaluate('[\n' + task.texts.join(',\n') + '\n]')
      return values.collect { String s -> s.getBytes('UTF-16BE').encodeHex().toString() }
    case 'dsl':
      return calls(task.text)
    case 'job':
      def job = calls(task.text)
      def script = job[0].calls.find { it.name == 'definition' }.calls[0].calls.find { it.name == 'script' }.args[0]
      return [calls: job] + pipeline(script, task.outcomes)
    case 'pipeline':
      return pipeline(task.text, task.outcomes)
  }
}

def out = new PrintStream(System.out, true, 'US-ASCII')
new JsonSlurper().parse(new File(args[0]), 'UTF-8').each { task ->
  def answer
  try {
    answer = [value: run(task)]
  } catch (Throwable e) {
    answer = [error: e.toString()]
  }
  out.println(JsonOutput.toJson(answer))
}
