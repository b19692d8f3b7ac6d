// What every task does: it starts the core with the inputs in its environment. All else is the core's.
'use strict';
const { spawn, spawnSync } = require('node:child_process');
const path = require('node:path');
const tl = require('azure-pipelines-task-lib/task');
const { variables, defaults } = require('./inputs.json');

const PYTHONS = [['python3'], ['python'], ['py', '-3']];
const OLDEST = [3, 10];

// Runs a command; by an input that is true, another one instead: `{ input: command }`.
module.exports = function run(usual, instead = {}) {
  try {
    const command = chosen(usual, instead);
    // -I: neither the build's directory nor its variables decide what is imported. -X utf8: as the agent reads.
    const options = ['-I', '-u', '-X', 'utf8', path.join(__dirname, 'signpath-ci.pyz'), command];
    const env = environment();
    start([...findPython(), ...options], env);
  } catch (error) {
    fail(error.message);
  }
};

function chosen(usual, instead) {
  for (const [input, other] of Object.entries(instead)) {
    const said = (tl.getInput(input) ?? 'false').toLowerCase();
    if (said === 'true') return other;
    if (said !== 'false') throw new Error(`${input} is neither true nor false. [invalid-option]`);
  }
  return usual;
}

function start([program, ...args], env) {
  // All for the agent goes to standard error; standard output is a bare file name, which could read like a command.
  const core = spawn(program, args, { env, stdio: ['ignore', 'ignore', 'inherit'] });
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.on(signal, () => {
      // Windows sends Ctrl+C to the core by itself, and a kill there leaves no time to tidy up.
      if (process.platform !== 'win32') core.kill(signal);
    });
  }
  core.on('error', (error) => fail(`${program} can't be started: ${error.message} [core-not-started]`));
  core.on('close', (code, signal) => {
    if (code === 0) tl.setResult(tl.TaskResult.Succeeded, '');
    // The core's own exit codes: it has said why, as an issue.
    else if (code >= 2 && code <= 143) tl.setResult(tl.TaskResult.Failed, '');
    else fail(`The core ended unexpectedly (${signal ?? `exit code ${code}`}); the log says more. [core-not-started]`);
  });
}

function findPython() {
  const old = [];
  for (const [program, ...args] of PYTHONS) {
    // `python3` may be a stub that only advertises a shop: each must say what it is.
    const ask = [...args, '-I', '-c', 'import sys; print("%d.%d" % sys.version_info[:2])'];
    const { status, stdout } = spawnSync(program, ask, { encoding: 'utf8' });
    if (status !== 0) continue;
    const [major, minor] = stdout.split('.').map(Number);
    if (major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])) return [program, ...args];
    old.push(`${[program, ...args].join(' ')} is ${stdout.trim()}`);
  }
  const found = old.length ? `Python is too old: ${old.join(', ')}.` : 'No Python found (tried: python3, python, py -3).';
  const needed = `signpath-ci needs ${OLDEST.join('.')} or later: install one, or add a step with UsePythonVersion@0. [no-python]`;
  throw new Error(`${found} ${needed}`);
}

// Only what the step says counts: no variable of the pipeline leads the token elsewhere.
function environment() {
  const inherited = Object.entries(process.env).filter(([name]) => !/^SIGNPATH_/i.test(name));
  const given = Object.entries(variables).map(([name, variable]) => [variable, tl.getInput(name)]);
  const env = Object.fromEntries([...inherited, ...given, ...connection()].filter(([, value]) => value));
  // The agent passes every input: which of them was given, only their defaults tell.
  env.SIGNPATH_DEFAULTS = defaults.join(' ');
  const install = process.env.SIGNPATH_INSTALL_VERIFY;
  return { ...env, SIGNPATH_PLUGIN: 'true', ...(install === undefined ? {} : { SIGNPATH_INSTALL_VERIFY: install }) };
}

function connection() {
  const id = tl.getInputRequired('serviceConnectionName');
  return [
    ['SIGNPATH_CONNECTOR_URL', tl.getEndpointUrl(id, true)],
    ['SIGNPATH_API_URL', tl.getEndpointDataParameter(id, 'apiUrl', true)],
    ['SIGNPATH_ORGANIZATION_ID', tl.getEndpointDataParameter(id, 'organizationId', true)],
    ['SIGNPATH_API_TOKEN', secrets(id).apitoken],
    ['SIGNPATH_TRUSTED_BUILD_SYSTEM_TOKEN', secrets(id).trustedbuildsystemtoken],
    ['SIGNPATH_AZURE_DEVOPS_TOKEN', secrets('SystemVssConnection').accesstoken],
  ];
}

// By names in lower case. Not with getEndpointAuthorizationParameter, which prints what it returns.
function secrets(id) {
  const parameters = tl.getEndpointAuthorization(id, true)?.parameters ?? {};
  return Object.fromEntries(Object.entries(parameters).map(([name, value]) => [name.toLowerCase(), value]));
}

function fail(message) {
  tl.setResult(tl.TaskResult.Failed, message);
}
