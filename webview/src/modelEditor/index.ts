import './style.css';
import { ModelEditor } from './editor';

new ModelEditor().start();
