import type { ApplicationFailure } from '@temporalio/common';
import { describe, expect, it } from 'vitest';
import { MESSAGE_LIMIT, RegistryError } from '#domain/registry-error.js';
import { readPreviewedSpec } from '#registry-api/http/views/previewed-spec.js';
import { FAULTS_LIMIT, formatFault } from '#spec/spec-fault.js';
import { CONFIG_LIMIT } from '#spec/raw-spec.js';
import { parseRegistrySpec } from '#spec/registry-spec.js';
import { toFailure } from './failure.js';
import { toDeployment } from './provision/desired/deployment.js';
import { blueprint, settings } from './provision/testing/blueprint.js';
import { undeclaredFields, withoutFields } from './provision/undeclared-fields.js';

const LENGTH = 256 * 1024;

/**
 * Returns what a function throws. Each tested function takes quadratic or exponential time on the string if its pattern
 * is careless.
 */
function thrownBy(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  return undefined;
}

const messageOf = (error: unknown) => (toFailure(error) as ApplicationFailure).message;

describe.each(['/', '//', ':', '@', '.spec.template.', '"', '""', '[', '["', '\\"', '=', '-', ' //', 'repository '])(
  'a string that repeats %j many times',
  (part) => {
    const text = part.repeat(LENGTH / part.length);

    it('is truncated in every failure of an activity', () => {
      for (const end of ['', '@', ' x']) {
        expect(messageOf(new RegistryError('ValidationFailed', text + end)).length).toBeLessThanOrEqual(MESSAGE_LIMIT);
        expect(messageOf(new Error(text + end)).length).toBeLessThanOrEqual(MESSAGE_LIMIT);
      }
    });

    it.each(['any', 'restricted', 'deny'] as const)(
      'is truncated in messages of the pod template policy "%s"',
      (policy) => {
        const named = { name: text, image: 'x', [text]: 1, env: [{ name: text }], volumeMounts: [{ mountPath: text }] };
        const containers = [{ ...named, image: undefined }, named, { ...named, name: 'registry-api' }];
        const podTemplateSpec = { spec: { containers, volumes: [{ name: text }, { name: text }], [text]: 1 } };
        const wanted = blueprint({ podTemplateSpec }, { settings: { ...settings, podTemplatePolicy: policy } });
        const failure = thrownBy(() => toDeployment(wanted));
        expect(failure).toBeInstanceOf(RegistryError);
        expect(messageOf(failure).length).toBeLessThanOrEqual(FAULTS_LIMIT);
      },
    );

    it('is found in a template when the API server reports it', () => {
      for (const message of [
        `.spec.template.${text}: field not declared in schema`,
        `${text}: field not declared in`,
      ]) {
        const template = { spec: { [text]: 1 } };
        expect(withoutFields(template, undeclaredFields(message))).toEqual(template);
      }
    });

    it('is truncated in the errors of a spec', () => {
      const inYaml = JSON.stringify(part.repeat(CONFIG_LIMIT / 4 / part.length));
      for (const spec of [
        { [text]: 1 },
        { registries: [{ name: text, [text]: text }], displayName: text, podTemplateSpec: text },
        { registries: [{ name: 'a', git: { repository: text, path: text, branch: text } }], auth: { mode: text } },
        { configYAML: `sources: [{ name: ${inYaml}, ${inYaml}: ${inYaml} }]` },
      ]) {
        const read = parseRegistrySpec(spec);
        const faults = 'faults' in read ? read.faults.map(formatFault) : [];
        expect(faults).not.toEqual([]);
        for (const fault of faults) expect(fault.length).toBeLessThanOrEqual(2 * FAULTS_LIMIT);
        const refusal = thrownBy(() => readPreviewedSpec(Buffer.from(JSON.stringify({ spec })))) as Error;
        expect(refusal.message.length).toBeLessThanOrEqual(2 * FAULTS_LIMIT);
      }
    });
  },
);

it('limits the number of listed errors of a pod template', () => {
  const containers = Array.from({ length: 10_000 }, (_, index) => ({ name: `c${index}` }));
  const volumes = Array.from({ length: 10_000 }, (_, index) => ({ name: `v${index}` }));
  const failure = thrownBy(() => toDeployment(blueprint({ podTemplateSpec: { spec: { containers, volumes } } })));
  expect(messageOf(failure)).toMatch(/\[c0\] has no image.*9980 more faults: correct the others first$/s);
});

it('never shows part of a password in a truncated message', () => {
  const message = messageOf(new RegistryError('FetchFailed', `https://user:${'secret'.repeat(4_000)}@host is away`));
  expect(message).toBe('https://host is away');
});
