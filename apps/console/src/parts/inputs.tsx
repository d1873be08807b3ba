import type { Argument, Input } from '../api/server-document.js';
import { words } from '../words.js';
import { Text } from './text.js';

const text = words.server.inputs;

interface InputsProps {
  readonly title: string;
  readonly inputs: readonly (Input | Argument)[] | undefined;
}

/** Inputs that a server needs, as a table or, on small screens, as a list. */
export function Inputs({ title, inputs = [] }: InputsProps) {
  if (inputs.length === 0) return null;
  return (
    <table class="inputs">
      <caption>{title}</caption>
      <thead>
        <tr>
          <th scope="col">{text.name}</th>
          <th scope="col">{text.description}</th>
          <th scope="col">{text.value}</th>
        </tr>
      </thead>
      <tbody>
        {inputs.map((input, at) => (
          <InputRow key={at} input={input} />
        ))}
      </tbody>
    </table>
  );
}

function InputRow({ input }: { readonly input: Input | Argument }) {
  return (
    <tr>
      <th scope="row">
        <code>
          <Text limit={200}>{nameOf(input)}</Text>
        </code>
        <span class="marks">
          <span class={input.isRequired ? 'mark strong' : 'mark'}>
            {input.isRequired ? text.required : text.optional}
          </span>
          {input.isSecret && <span class="mark strong">{text.secret}</span>}
          {'isRepeated' in input && input.isRepeated && <span class="mark">{text.repeated}</span>}
        </span>
      </th>
      <td>
        <Text limit={2000}>{input.description ?? ''}</Text>
        <Variables variables={input.variables} />
      </td>
      <td>
        <Values input={input} />
      </td>
    </tr>
  );
}

function Values({ input }: { readonly input: Input }) {
  const values = [
    [text.fixed, input.value],
    [text.default, input.default],
    [text.example, input.placeholder],
    [text.choices, input.choices?.join(', ')],
  ].filter((one): one is [string, string] => one[1] !== undefined && one[1] !== '');
  return (
    <>
      {values.map(([label, value]) => (
        <div key={label}>
          <span class="muted">{label}</span>{' '}
          <code>
            <Text limit={500}>{value}</Text>
          </code>
        </div>
      ))}
    </>
  );
}

/** Lists the variables in braces in a value. */
function Variables({ variables = {} }: { readonly variables: Input['variables'] | undefined }) {
  const all = Object.entries(variables);
  if (all.length === 0) return null;
  return (
    <ul class="variables">
      {all.map(([name, variable]) => (
        <li key={name}>
          <code>
            <Text limit={100}>{`{${name}}`}</Text>
          </code>{' '}
          <Text limit={500}>{variable.description ?? ''}</Text>
        </li>
      ))}
    </ul>
  );
}

/** Returns the name of an input. A positional argument has no name, so its hint or its value is used. */
function nameOf(input: Input | Argument): string {
  if (input.name !== undefined) return input.name;
  const hint = 'valueHint' in input ? input.valueHint : undefined;
  return hint ?? input.value ?? text.positional;
}

export const variablesAsInputs = (variables: Input['variables'] = {}): Input[] =>
  Object.entries(variables).map(([name, variable]) => ({ ...variable, name: `{${name}}` }));
